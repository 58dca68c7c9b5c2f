import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Artifact } from "../../core/attempt.ts";
import type { Batch } from "../../core/batch.ts";
import type { TryChoice } from "../../app/try-row.ts";
import { RowcallError } from "../../core/errors.ts";
import { parseReference } from "../../core/registry.ts";
import { suggestMapping } from "../../app/suggest-mapping.ts";
import { sendObject } from "../send-object.ts";
import type { ServerContext } from "../server-setup.ts";
import { takeUpload } from "../take-upload.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { jsonObject, planReport, rowSelection, runParams, tryResult } from "./schemas.ts";

const tag = "Batches";
const headRows = 5;
const triesKept = 200;

/** Prepares batches: tables come in, plans and single tries come out. */
export function batchOperations(context: ServerContext): readonly Operation[] {
  const { engine, store, registry, workbench } = context;
  const recordings = new Map<string, readonly Artifact[]>();

  const tryOnce = async (batch: Batch, choice: TryChoice): Promise<object> => {
    const id = randomUUID();
    const result = await workbench.tryRow(batch, choice);
    recordings.set(id, result.attempt.artifacts);
    for (const oldest of recordings.keys()) {
      if (recordings.size <= triesKept) break;
      recordings.delete(oldest);
    }
    return { id, ...result };
  };
  const tryBody = {
    row: z.int().min(0).exactOptional().describe("Row of the input, counted from 0"),
    cells: z.record(z.string(), z.string()).exactOptional().describe("Cells by column, laid over those of the row"),
    input: jsonObject.exactOptional().describe("The agent's input as it is; then nothing is mapped"),
  };

  return [
    defineOperation(
      {
        id: "uploadTable",
        method: "post",
        path: "/uploads",
        tag,
        summary: "Bring a table of any size",
        description: "The body is the file itself; it is written to disk as it comes.",
        query: z.object({ name: z.string().min(1).max(200).default("table.csv") }),
        body: { media: ["text/csv", "application/octet-stream"], description: "The file" },
        answer: z.object({
          inputUri: z.string().describe("`input` of a batch"),
          bytes: z.int(),
          header: z.array(z.string()),
          rows: z.array(z.array(z.string())).describe(`The first ${headRows}`),
        }),
        status: 201,
        errors: ["REQUEST_TOO_LARGE", "INPUT_EMPTY", "INPUT_ENCODING", "INPUT_MALFORMED"],
      },
      async ({ query: { name }, context: c }) => {
        const { uri, size } = await takeUpload(context, c.req.raw, name);
        try {
          return { inputUri: uri, bytes: size, ...(await workbench.readHead(uri, headRows)) };
        } catch (thrown) {
          await store.delete(uri);
          throw thrown;
        }
      },
    ),
    defineOperation(
      {
        id: "suggestMapping",
        method: "post",
        path: "/mappings",
        tag,
        readsOnly: true,
        summary: "Which columns of a table seem to be which fields of an agent's input",
        body: z.strictObject({ agent: z.string().min(1), inputUri: z.string().min(1) }),
        answer: z.object({
          header: z.array(z.string()),
          rows: z.array(z.array(z.string())),
          mappings: z.array(z.object({ field: z.string(), column: z.string().exactOptional(), required: z.boolean() })),
        }),
        errors: ["AGENT_NOT_FOUND", "STORE_NOT_FOUND", "INPUT_EMPTY"],
      },
      async ({ body: { agent, inputUri } }) => {
        const definition = await registry.agents.resolve(parseReference(agent));
        const head = await workbench.readHead(inputUri, headRows);
        const { properties = {}, required = [] } = (definition.input_schema ?? {}) as {
          properties?: object;
          required?: readonly string[];
        };
        const mappings = suggestMapping(head.header, Object.keys(properties));
        return { ...head, mappings: mappings.map((one) => ({ ...one, required: required.includes(one.field) })) };
      },
    ),
    defineOperation(
      {
        id: "planBatch",
        method: "post",
        path: "/plans",
        tag,
        readsOnly: true,
        summary: "Everything short of running: checks, validity of every row, duplicates, duration and cost",
        body: z.strictObject({
          batch: jsonObject.describe("As a batch file has it"),
          rows: rowSelection.exactOptional(),
          limit: z.int().min(1).exactOptional(),
          force: z.boolean().exactOptional(),
          sampleSize: z.int().min(0).max(100).exactOptional(),
          listSize: z.int().min(0).max(1000).exactOptional(),
        }),
        answer: planReport,
        errors: ["BATCH_INVALID"],
      },
      async ({ body: { batch, ...choice } }) => {
        const output = context.resultsPrefix;
        return workbench.plan({ output, ...batch }, choice);
      },
    ),
    defineOperation(
      {
        id: "tryRow",
        method: "post",
        path: "/tries",
        tag,
        summary: "Run the agent once, for a row of the input, for cells, or for an input of its own",
        body: z.strictObject({ batch: jsonObject, ...tryBody }),
        answer: tryResult,
        errors: ["BATCH_INVALID", "AGENT_NOT_FOUND"],
      },
      async ({ body: { batch, ...choice } }) =>
        // A batch that is only tried needs no places.
        tryOnce(await workbench.readBatch(batch, []), choice),
    ),
    defineOperation(
      {
        id: "tryRowOfRun",
        method: "post",
        path: "/runs/{id}/tries",
        tag,
        summary:
          "Run the agent once with a run's settings, for one of its rows as it is or edited; the run does not change",
        params: runParams,
        body: z.strictObject(tryBody),
        answer: tryResult,
        errors: ["RUN_NOT_FOUND"],
      },
      async ({ params: { id }, body }) => tryOnce(await engine.batch(id), body),
    ),
    defineOperation(
      {
        id: "getTryRecording",
        method: "get",
        path: "/tries/{id}/recordings/{name}",
        tag,
        summary: "A recording of a try, as long as the server runs",
        params: z.object({ id: z.string(), name: z.string() }),
        answer: { media: ["image/*", "video/*", "application/octet-stream"], description: "The file", isRanged: true },
        errors: ["ROW_NOT_FOUND", "STORE_NOT_FOUND"],
      },
      async ({ params: { id, name }, context: c }) => {
        const artifact = recordings.get(id)?.find((one) => one.name === name);
        if (artifact !== undefined) return sendObject(c, store, artifact);
        throw new RowcallError("ROW_NOT_FOUND", `Try ${id} left no recording "${name}"`, {
          hint: "Tries are forgotten when the server ends; their files stay in the data directory.",
        });
      },
    ),
  ];
}
