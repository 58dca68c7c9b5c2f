import { z } from "zod";
import { suggestMapping } from "../../app/suggest-mapping.ts";
import { parseReference } from "../../core/registry.ts";
import { sendObject } from "../send-object.ts";
import type { ServerContext } from "../server-setup.ts";
import { operation, type Operation } from "./operation.ts";
import { jsonObject, planReport, recordingFile, rowSelection, runParams, tryResult } from "./schemas.ts";

const headRows = 5;

const tryBody = {
  row: z.int().min(0).exactOptional().describe("Row of the input, counted from 0"),
  cells: z.record(z.string(), z.string()).exactOptional().describe("Cells by column, laid over those of the row"),
  input: jsonObject.exactOptional().describe("The agent's input as it is; then nothing is mapped"),
};

/** Prepares batches: tables come in, plans and single tries come out. */
export function batchOperations({
  engine,
  store,
  registry,
  workbench,
  tries,
  uploads,
  resultsPrefix,
}: ServerContext): readonly Operation[] {
  return [
    operation({
      id: "uploadTable",
      route: "POST /uploads",
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
      handle: async ({ query: { name }, context: c }) => {
        const { uri, size } = await uploads.take(c.req.raw, name);
        try {
          return { inputUri: uri, bytes: size, ...(await workbench.readHead(uri, headRows)) };
        } catch (thrown) {
          await store.delete(uri);
          throw thrown;
        }
      },
    }),
    operation({
      id: "suggestMapping",
      route: "POST /mappings",
      readsOnly: true,
      summary: "Which columns of a table seem to be which fields of an agent's input",
      body: z.strictObject({ agent: z.string().min(1), inputUri: z.string().min(1) }),
      answer: z.object({
        header: z.array(z.string()),
        rows: z.array(z.array(z.string())),
        mappings: z.array(z.object({ field: z.string(), column: z.string().exactOptional(), required: z.boolean() })),
      }),
      errors: ["AGENT_NOT_FOUND", "STORE_NOT_FOUND", "INPUT_EMPTY"],
      handle: async ({ body: { agent, inputUri } }) => {
        const definition = await registry.agents.resolve(parseReference(agent));
        const head = await workbench.readHead(inputUri, headRows);
        const { properties = {}, required = [] } = (definition.input_schema ?? {}) as {
          properties?: object;
          required?: readonly string[];
        };
        const mappings = suggestMapping(head.header, Object.keys(properties));
        return { ...head, mappings: mappings.map((one) => ({ ...one, required: required.includes(one.field) })) };
      },
    }),
    operation({
      id: "planBatch",
      route: "POST /plans",
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
      handle: async ({ body: { batch, ...choice } }) => workbench.plan({ output: resultsPrefix, ...batch }, choice),
    }),
    operation({
      id: "tryRow",
      route: "POST /tries",
      summary: "Run the agent once, for a row of the input, for cells, or for an input of its own",
      body: z.strictObject({ batch: jsonObject, ...tryBody }),
      answer: tryResult,
      errors: ["BATCH_INVALID", "AGENT_NOT_FOUND"],
      handle: async ({ body: { batch, ...choice } }) =>
        // A batch that is only tried needs no places.
        tries.make(await workbench.readBatch(batch, []), choice),
    }),
    operation({
      id: "tryRowOfRun",
      route: "POST /runs/{id}/tries",
      summary:
        "Run the agent once with a run's settings, for one of its rows as it is or edited; the run does not change",
      params: runParams,
      body: z.strictObject(tryBody),
      answer: tryResult,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params: { id }, body }) => tries.make(await engine.batch(id), body),
    }),
    operation({
      id: "getTryRecording",
      route: "GET /tries/{id}/recordings/{name}",
      summary: "A recording of a try, as long as the server runs",
      params: z.object({ id: z.string(), name: z.string() }),
      answer: recordingFile,
      errors: ["ROW_NOT_FOUND", "STORE_NOT_FOUND"],
      handle: async ({ params: { id, name }, context: c }) => sendObject(c, store, tries.recording(id, name)),
    }),
  ];
}
