import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Option, type Command } from "commander";
import type { RecordingLevel } from "../../core/agent.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { BatchOverrides } from "../../runs/load-batch.ts";
import type { Io } from "../io.ts";
import { positiveNumber, wholeNumber } from "../options.ts";

/** Options that are laid over a batch file. */
export interface BatchOptions extends Omit<BatchOverrides, "agentConfig" | "dispatch"> {
  /** JSON, or `@` and a file of JSON or YAML. */
  readonly agentConfig?: string;
}

// Written out, not taken from core/agent.ts, which would load zod for every `--help`.
const levels = ["none", "screenshot", "video", "trace"] satisfies RecordingLevel[];

/** What the `BATCH` of a command may be, for its help. */
export const batchArgument = ["<batch>", "batch file (JSON or YAML), execution input, or the JSON itself"] as const;

/** Adds the options that are laid over a batch file, of all of its rows. */
export function addBatchOptions(command: Command): Command {
  addInput(command)
    .option(
      "-o, --output <uri>",
      "prefix that ends in /, a file, or - for standard output, in place of the batch's output",
    )
    .option("--max-concurrency <number>", "rows in flight at once", wholeNumber(1));
  return addAttemptOptions(command);
}

/** Adds those of them that have an effect on a row that is run alone. */
export function addRowOptions(command: Command): Command {
  return addAttemptOptions(addInput(command));
}

function addInput(command: Command): Command {
  return command.option("-i, --input <uri>", "table to read, in place of the batch's input");
}

function addAttemptOptions(command: Command): Command {
  return command
    .option("--timeout-seconds <number>", "limit of one attempt", positiveNumber)
    .option("--agent-config <json>", "settings laid over the agent's own, key by key: JSON, or @file")
    .addOption(new Option("--recording <level>", "what each attempt leaves behind").choices(levels));
}

/**
 * The options as `loadBatch` takes them.
 *
 * @throws RowcallError USAGE_INVALID when the agent's settings are not a JSON object
 */
export async function readOverrides(options: BatchOptions, io: Io): Promise<BatchOverrides> {
  const { input, output, maxConcurrency, timeoutSeconds, recording } = options;
  const agentConfig = options.agentConfig === undefined ? undefined : await readAgentConfig(options.agentConfig, io);
  return { input, output, maxConcurrency, timeoutSeconds, recording, agentConfig };
}

async function readAgentConfig(given: string, io: Io): Promise<JsonObject> {
  const { readDocument } = await import("../../core/read-document.ts");
  const file = given.startsWith("@") ? given.slice(1) : undefined;
  const text = file === undefined ? given : await readConfigFile(file, io);
  const value = await readDocument(text, file ?? "", "USAGE_INVALID", "value of --agent-config");
  if (isJsonObject(value)) return value;
  throw new RowcallError("USAGE_INVALID", "The value of --agent-config is not a JSON object", {
    hint: `Write it as --agent-config '{"key": "value"}', or as --agent-config @file.json.`,
  });
}

async function readConfigFile(file: string, io: Io): Promise<string> {
  try {
    return await readFile(resolve(io.workingDirectory, file), "utf8");
  } catch (cause) {
    throw new RowcallError("USAGE_INVALID", `The file ${file} of --agent-config cannot be read: ${messageOf(cause)}`, {
      hint: "Check the path after the @.",
      cause,
    });
  }
}
