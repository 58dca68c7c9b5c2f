import type { Command, Option } from "commander";
import type { Batch } from "../core/batch.ts";
import { RowcallError } from "../core/errors.ts";
import type { EngineName } from "./engine-choice.ts";
import { isOutputFile } from "../runs/output-uri.ts";

/** Why an option has no effect where it is given, as the end of a sentence, and what would give it one. */
export interface NoEffect {
  /** `without --behind-proxy`. */
  readonly why: string;
  /** `add --behind-proxy`. */
  readonly remedy?: string;
}

/** What is known where an option is given. */
export interface Circumstances {
  /** Where batches run. */
  engine(): EngineName;
  /** What the batch file says with the options laid over it; absent until it is read. */
  readonly batch?: Pick<Batch, "output" | "execution">;
}

/** The options of one call, and what is known where they are given. */
export interface Use extends Circumstances {
  /** Name of the command: `validate`. */
  readonly command: string;
  /** @param flag - `--json` */
  isGiven(flag: string): boolean;
  /** An option's value: given or by default. */
  value(flag: string): unknown;
}

/** Tells why an option has no effect in these circumstances; undefined when it has one. */
export type Condition = (use: Use) => NoEffect | undefined;

/** When an option has an effect: never, or when every condition holds. */
export type Effect = NoEffect | readonly Condition[];

/** No condition: an option that has an effect wherever it is given. */
export const always: readonly Condition[] = [];

const declared = new WeakMap<Command, Readonly<Record<string, Effect>>>();

/**
 * Declares when options of a command have an effect. One that is not named here always has.
 *
 * @param effects - by flag, `--tls-key`: options of the command, or those of every command
 */
export function declareEffects(command: Command, effects: Readonly<Record<string, Effect>>): Command {
  declared.set(command, { ...declared.get(command), ...effects });
  return command;
}

/** When an option has an effect at a command. */
export function effectOf(command: Command, { long }: Option): Effect {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    const effect = declared.get(at)?.[long ?? ""];
    if (effect !== undefined) return effect;
  }
  return always;
}

/**
 * Refuses options that have no effect where they are given. The hook of the program calls it before every command; a command that
 * reads a batch calls it again, with the batch.
 *
 * @throws RowcallError USAGE_INVALID
 */
export function requireEffect(command: Command, circumstances: Circumstances): void {
  const use = useOf(command, circumstances);
  const useless = optionsOf(command).flatMap((option) => {
    const flag = option.long ?? "";
    const found = use.isGiven(flag) ? noEffect(effectOf(command, option), use) : undefined;
    return found === undefined ? [] : [{ flag, ...found }];
  });
  if (useless.length === 0) return;
  throw new RowcallError("USAGE_INVALID", useless.map(({ flag, why }) => `${flag} does nothing ${why}`).join("; "), {
    hint: useless
      .map(({ flag, remedy }) => `Leave ${flag} out${remedy === undefined ? "" : `, or ${remedy}`}.`)
      .join(" "),
  });
}

function noEffect(effect: Effect, use: Use): NoEffect | undefined {
  if ("why" in effect) return effect;
  return effect.map((condition) => condition(use)).find((found) => found !== undefined);
}

function useOf(command: Command, circumstances: Circumstances): Use {
  const nameOf = (flag: string): string =>
    optionsOf(command)
      .find(({ long }) => long === flag)
      ?.attributeName() ?? "";
  return {
    ...circumstances,
    command: command.name(),
    isGiven: (flag) => command.getOptionValueSourceWithGlobals(nameOf(flag)) === "cli",
    value: (flag) => command.optsWithGlobals()[nameOf(flag)] as unknown,
  };
}

function optionsOf(command: Command): readonly Option[] {
  return [...command.options, ...(command.parent === null ? [] : optionsOf(command.parent))];
}

/** An option that has an effect only with another one. */
export function needs(flag: string): Condition {
  return ({ isGiven }) => (isGiven(flag) ? undefined : { why: `without ${flag}`, remedy: `add ${flag}` });
}

/** An option that another one leaves without effect. @param because - what the other one does instead */
export function excludes(flag: string, because?: string): Condition {
  const why = `with ${flag}${because === undefined ? "" : `: ${because}`}`;
  return ({ isGiven }) => (isGiven(flag) ? { why, remedy: `leave ${flag} out` } : undefined);
}

/** An option that has an effect only where batches run so. @param because - why it has none elsewhere */
export function needsEngine(name: EngineName, because?: string): Condition {
  const other = name === "aws" ? "on this machine" : "on AWS";
  const why = `when batches run ${other}${because === undefined ? "" : `: ${because}`}`;
  const remedy = name === "aws" ? "add --engine aws" : undefined;
  return ({ engine }) => (engine() === name ? undefined : { why, remedy });
}

/** When `--force` has an effect: where the output is a file, which may be there. */
export function replacesFile({ value, batch }: Use): NoEffect | undefined {
  const output = (value("--output") as string | undefined) ?? batch?.output;
  if (output === "-") return { why: "when the table goes to standard output", remedy: "name a file as --output" };
  if (output === undefined || isOutputFile(output)) return undefined;
  return {
    why: `when the output is the prefix ${output}, under which every table gets a new name`,
    remedy: "name a file as --output",
  };
}
