import { z } from "zod";
import { RowcallError } from "../../core/errors.ts";
import { schemeOf } from "../../core/uri.ts";
import { loadBatchParts, type BatchParts, type BatchSource, type Place } from "../../runs/load-batch.ts";
import type { Session } from "./session.ts";

/** Arguments that say which batch a tool works on. */
export const batchShape = {
  batch: z
    .union([z.string().min(1), z.record(z.string(), z.json())])
    .describe(
      "The batch: the batch itself as an object, or the path of a batch file (JSON or YAML) that the user has allowed, such as " +
        '{"agent": "NAME", "input_mapping": {"column_mappings": {"Column of the table": "field_of_the_agent"}}}. ' +
        "show_agent tells the fields of an agent.",
    ),
  input: z.string().min(1).optional().describe("Path of the CSV table; needed when the batch does not name it"),
  output: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Where the enriched CSV goes: a new file, or a folder ending in /; needed when the batch does not name it. " +
        "A file that exists is never overwritten",
    ),
  max_concurrency: z.int().min(1).optional().describe("Rows in flight at once, in place of the batch's own"),
};

type BatchArguments = z.output<z.ZodObject<typeof batchShape>>;

// What only people decide, in files they write: code that is run, hosts that are called with secrets, who is told.
const ofPeople = ["agent_config", "agent_state_machine_arn", "notification_config"];

/**
 * Reads the batch that a tool was given, as far as it can be read; every place that it names is allowed, and a batch file has the name
 * of one and lies where the user has people's batch files.
 *
 * @throws RowcallError as `loadBatchParts`; STORE_DENIED for a place that is not allowed; USAGE_INVALID for a batch file that is not
 * called like one, and when an assistant wrote what only people decide
 */
export async function loadAllowedBatch(
  { services, places, batchPlaces }: Pick<Session, "services" | "places" | "batchPlaces">,
  args: BatchArguments,
  required: readonly Place[],
): Promise<BatchParts> {
  const { store } = services;
  const guarded = {
    ...services,
    store: {
      ...store,
      async *read(uri: string): AsyncGenerator<Uint8Array> {
        requireBatchName(uri);
        await batchPlaces.require(uri, "batch file");
        yield* store.read(uri);
      },
    },
  };
  const overrides = { input: args.input, output: args.output, maxConcurrency: args.max_concurrency };
  const parts = await loadBatchParts(guarded, sourceOf(args.batch), overrides, required);
  const { inputUri, output, recording, agentConfig } = parts.data ?? {};
  requireTableName(output);
  const named = [
    ["input", inputUri],
    ["output", output],
    ["recording.prefix", recording?.prefix],
    ["agent_config.module", moduleOf(agentConfig?.["module"])],
  ] as const;
  for (const [what, uri] of named) if (uri !== undefined) await places.require(uri, what);
  return parts;
}

// A table may hold what looks like a batch, and name whom to call with which secrets.
function requireBatchName(uri: string): void {
  if (batchNames.test(uri)) return;
  throw new RowcallError("USAGE_INVALID", `${uri} is not the name of a batch file`, {
    hint: "A batch file is called .json, .yaml or .yml. A table is the input, not the batch.",
  });
}

// What an assistant has had written is no batch file: the table's cells are not its own.
function requireTableName(output: string | undefined): void {
  if (output === undefined || !batchNames.test(output)) return;
  throw new RowcallError("USAGE_INVALID", `The output ${output} would have the name of a batch file`, {
    hint: "Call it .csv.",
  });
}

const batchNames = /\.(json|ya?ml)$/i;

function sourceOf(batch: BatchArguments["batch"]): BatchSource {
  if (typeof batch === "string") {
    if (!batch.trimStart().startsWith("{")) return batch;
    throw new RowcallError("USAGE_INVALID", "The batch is text that looks like JSON", {
      hint: "Pass the batch as an object, or the path of a batch file as text.",
    });
  }
  const key = ofPeople.find((name) => name in batch);
  if (key === undefined) return batch;
  throw new RowcallError("USAGE_INVALID", `A batch that is passed as an object cannot have "${key}"`, {
    hint: `Only a batch file that a person wrote can: ask the user for one, and pass its path.`,
  });
}

// A bare name is a package of the user's own.
function moduleOf(module: unknown): string | undefined {
  return typeof module === "string" && (/[/\\]/.test(module) || schemeOf(module) === "file") ? module : undefined;
}
