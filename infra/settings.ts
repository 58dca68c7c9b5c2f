import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { RowcallError } from "../src/core/errors.ts";

/** How the batch processor is deployed; each comes from a context option of the same name. */
export interface Settings {
  readonly stage: string;
  readonly browser: "activity" | "lambda";
  readonly encryption: "managed" | "kms";
  readonly retain: boolean;
  readonly runsExpiryDays: number;
  readonly recordingsExpiryDays: number;
  readonly logRetentionDays: RetentionDays;
  readonly functionMemoryMb: number;
  readonly browserMemoryMb: number;
  readonly workerWaitSeconds: number;
  readonly workerHeartbeatSeconds: number;
  readonly agentMachines: readonly string[];
  readonly agentFunctions: readonly string[];
  readonly topics: readonly string[];
  readonly buckets: readonly string[];
}

interface Option<T> {
  readonly defaultText: string;
  /** Undefined when the text is no value of the option. */
  readonly read: (text: string) => T | undefined;
  /** What the values are, in words. */
  readonly values: string;
}

const retentionDays = Object.values(RetentionDays)
  .filter((days) => typeof days === "number")
  // The last one stands for no end.
  .filter((days) => days !== RetentionDays.INFINITE);

const stagePattern = /^[a-z][a-z0-9-]{0,14}$/;
// What IAM allows within a name, and its two wildcards.
const namePattern = /^[\w.+=@*?-]+$/;
const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Every context option, in the order of docs/deploy.md. */
export const contextOptions: { readonly [K in keyof Settings]: Option<Settings[K]> } = {
  stage: {
    defaultText: "prod",
    read: (text) => (stagePattern.test(text) ? text : undefined),
    values: "up to 15 lower-case letters, digits and dashes",
  },
  browser: oneOf("activity", "lambda"),
  encryption: oneOf("managed", "kms"),
  retain: {
    defaultText: "true",
    read: (text) => (text === "true" ? true : text === "false" ? false : undefined),
    values: "`true` or `false`",
  },
  runsExpiryDays: wholeNumber(30, 15, 3650),
  recordingsExpiryDays: wholeNumber(90, 1, 3650),
  logRetentionDays: {
    defaultText: "30",
    read: (text) => retentionDays.find((days) => String(days) === text),
    values: `days as CloudWatch Logs has them: ${retentionDays.slice(0, 12).join(", ")}, …`,
  },
  functionMemoryMb: wholeNumber(3008, 512, 10_240),
  browserMemoryMb: wholeNumber(3008, 1024, 10_240),
  workerWaitSeconds: wholeNumber(3600, 1, 31_536_000),
  workerHeartbeatSeconds: wholeNumber(60, 10, 3600),
  agentMachines: names("state machines' names", namePattern),
  agentFunctions: names("functions' names", namePattern),
  topics: names("topics' names", namePattern),
  buckets: names("buckets' names", bucketPattern),
};

/**
 * Reads the settings from the context, given by `-c name=value` or in `cdk.json`.
 *
 * @throws RowcallError USAGE_INVALID for a value that an option does not have
 */
export function readSettings(context: (name: string) => unknown): Settings {
  const entries = Object.entries(contextOptions).map(([name, option]) => {
    const given = context(name) ?? option.defaultText;
    const text = typeof given === "string" ? given : JSON.stringify(given);
    const value = option.read(text);
    if (value === undefined) {
      throw new RowcallError("USAGE_INVALID", `The context option ${name} cannot be "${text}"`, {
        hint: `Give ${option.values.replaceAll("`", "")}: -c ${name}=${option.defaultText || "NAME"}`,
      });
    }
    return [name, value] as const;
  });
  const settings = Object.fromEntries(entries) as unknown as Settings;
  return settings;
}

function oneOf<const T extends string>(first: T, ...others: readonly T[]): Option<T> {
  const all = [first, ...others];
  return {
    defaultText: first,
    read: (text) => all.find((value) => value === text),
    values: all.map((value) => `\`${value}\``).join(" or "),
  };
}

function wholeNumber(usual: number, least: number, most: number): Option<number> {
  return {
    defaultText: String(usual),
    read: (text) => (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined),
    values: `${least} to ${most}`,
  };
}

function names(what: string, pattern: RegExp): Option<readonly string[]> {
  return {
    defaultText: "",
    read: (text) => {
      const all = text.split(",").filter(Boolean);
      return all.every((name) => pattern.test(name)) ? all : undefined;
    },
    values: `${what}, separated by commas`,
  };
}
