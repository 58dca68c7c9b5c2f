import { InvalidArgumentError, Option, type Command } from "commander";
import type { RowSelection } from "../core/engine.ts";
import { engineNames } from "./engine-choice.ts";
import type { Condition, Effect } from "./option-use.ts";

/**
 * Reads rows as people write them: numbers and ranges, counted from 0, ends included, in any order.
 *
 * @example parseRowSelection("7-9,3") // [[3, 3], [7, 9]]
 * @throws InvalidArgumentError
 */
export function parseRowSelection(text: string): RowSelection {
  const ranges = text
    .split(",")
    .map(parseRange)
    .toSorted((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of ranges) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

function parseRange(text: string): readonly [number, number] {
  const [, from, to = from] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || !Number.isSafeInteger(last)) {
    throw new InvalidArgumentError(
      `"${text}" is neither a row nor a range of rows; write rows as 3,7-9, counted from 0.`,
    );
  }
  if (first > last) throw new InvalidArgumentError(`"${text}" ends before it begins.`);
  return [first, last];
}

type GlobalGroup = "engine" | "processor" | "data" | "registry" | "aws" | "browser";

/** Options of every command: which have an effect together, what each says, and the variable that says the same. */
const globals: readonly (readonly [GlobalGroup, flags: string, what: string, variable: string, usual?: string])[] = [
  ["engine", "--engine <where>", "where batches run: on this machine or on AWS", "ROWCALL_ENGINE", "local"],
  [
    "processor",
    "--state-machine-arn <arn>",
    "state machine that runs batches on AWS, with --engine aws",
    "ROWCALL_STATE_MACHINE_ARN",
  ],
  ["processor", "--runs <uri>", "where it keeps its runs, with --engine aws: s3://bucket/runs/", "ROWCALL_RUNS_URI"],
  ["data", "--data-dir <folder>", "where runs are remembered", "ROWCALL_DATA_DIR", ".rowcall"],
  [
    "registry",
    "--registry <address>",
    "folder, s3:// prefix or dynamodb:TABLE of agents and templates; may be repeated",
    "ROWCALL_REGISTRY",
    "registry",
  ],
  ["aws", "--profile <name>", "AWS profile to use", "AWS_PROFILE"],
  ["aws", "--region <name>", "AWS region to use", "AWS_REGION"],
  ["aws", "--endpoint-url <url>", "address to use in place of AWS's own", "AWS_ENDPOINT_URL"],
  ["browser", "--chromium <path>", "Chromium executable to use", "ROWCALL_CHROMIUM", "the first one found"],
  ["browser", "--require-sandbox", "refuse to run a browser without Chromium's sandbox", "ROWCALL_REQUIRE_SANDBOX=1"],
];

/** Options that every command takes; each wins over its environment variable. */
export function globalOptions(): Option[] {
  return globals.map(([, flags, what, variable, usual]) => {
    const option = new Option(flags, `${what} (${variable}${usual === undefined ? "" : `, default: ${usual}`})`);
    if (option.long === "--engine") option.choices(engineNames);
    if (option.long === "--registry") option.argParser(repeated);
    return option;
  });
}

/** What a command makes use of among the options of every command, and when; it does without what is absent. */
export type GlobalUse = Partial<Record<GlobalGroup, readonly Condition[]>>;

/** When each option of every command has an effect at one of them. */
export function globalEffects(command: string, use: GlobalUse): Readonly<Record<string, Effect>> {
  const unused = (variable: string): Effect => ({
    why: `at \`rowcall ${command}\``,
    remedy: `set ${variable} for all commands`,
  });
  return Object.fromEntries(
    globals.map(([group, flags, , variable]) => [flags.replace(/ .*/, ""), use[group] ?? unused(variable)]),
  );
}

/** `--json`, with what it prints for this command. */
export function jsonOption(what: string): Option {
  return new Option("--json", `print ${what}`);
}

/** `--allow-module`, for commands to whom others say what is run. */
export function allowModuleOption(): Option {
  return new Option(
    "--allow-module <path>",
    "module that function agents may load beside those of the registry; may be repeated",
  )
    .default([], "")
    .argParser(repeated);
}

/** What the `RUN` of a command may be, for its help. */
export const runArgument = ["<run>", "id of a run, the beginning of an id, a name, or: last"] as const;

/** Ends a command's help with examples. */
export function examples(command: Command, lines: readonly string[]): void {
  command.addHelpText("after", ["", "Examples:", ...lines.map((line) => `  ${line}`)].join("\n"));
}

/** Reads an option's whole number. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`);
  };
}

/** Reads an option's port. */
export function portNumber(text: string): number {
  const port = wholeNumber(0)(text);
  if (port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a port: 0 to 65535.");
}

/** Reads an option's number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}

/** Reads an option's number, 0 or more. */
export function numberFromZero(text: string): number {
  return text.trim() !== "" && Number(text) === 0 ? 0 : positiveNumber(text);
}

/** Reads an option that may be repeated: all that was given, in order. */
export function repeated(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** Gathers the values of an option that may be repeated, or given once with commas. */
export function listOf(text: string, before: readonly string[] | undefined): readonly string[] {
  return [
    ...(before ?? []),
    ...text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean),
  ];
}
