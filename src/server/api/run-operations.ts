import { z } from "zod";
import type { RunLimits } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import type { ServerContext } from "../server-setup.ts";
import { defineOperation, type Operation } from "./operation.ts";
import {
  deletedRun,
  delivery,
  errorCode,
  jsonObject,
  rowSelection,
  runLimits,
  runParams,
  runStatus,
  runSurvey,
  runView,
} from "./schemas.ts";

const tag = "Runs";

/** Lists, starts and steers runs. */
export function runOperations({ engine, watch, runs, workbench, resultsPrefix }: ServerContext): readonly Operation[] {
  const detail = async (run: Run): Promise<object> => ({
    run: watch.view(run),
    limits: await engine.limits(run.id),
    deliveries: await engine.deliveries(run.id),
    isHere: runs.isHere(run.id),
  });
  const runDetail = z.object({
    run: runView,
    limits: runLimits,
    deliveries: z.array(delivery),
    isHere: z.boolean().describe("Whether the run goes on in the server's process"),
  });
  const adjust = async (id: string, change: Partial<RunLimits>): Promise<object> => {
    await engine.adjust(id, change);
    return detail(await engine.describe(id));
  };

  return [
    defineOperation(
      {
        id: "listRuns",
        method: "get",
        path: "/runs",
        tag,
        summary: "List and search runs, newest first",
        query: z.object({
          text: z.string().min(1).optional().describe("In id, name, agent or input, in any case"),
          status: runStatus.optional(),
          after: z.string().min(1).optional().describe("`next` of the page before"),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        answer: z.object({ runs: z.array(runView), next: z.string().exactOptional() }),
      },
      async ({ query: { text, status, after, limit } }) => {
        const found = await engine.list({
          limit: limit + 1,
          ...(text === undefined ? {} : { text }),
          ...(status === undefined ? {} : { status }),
          ...(after === undefined ? {} : { before: after }),
        });
        const runs = found.slice(0, limit);
        const next = found.length > limit ? runs.at(-1)?.id : undefined;
        return { runs: runs.map(watch.view), ...(next === undefined ? {} : { next }) };
      },
    ),
    defineOperation(
      {
        id: "startRun",
        method: "post",
        path: "/runs",
        tag,
        summary: "Start a run in the server's process",
        description:
          "A batch that names no output gets a folder of its own in the data directory. With `limit` only the first rows are run, as a sample. Send an `Idempotency-Key` to repeat a request safely.",
        body: z.strictObject({
          batch: jsonObject.describe("As a batch file has it"),
          name: z.string().min(1).optional().describe("The same name again goes on with the run, or shows it"),
          rows: rowSelection.optional(),
          limit: z.int().min(1).optional(),
          force: z.boolean().optional().describe("Replace an output file that exists"),
        }),
        answer: runDetail,
        status: 201,
        errors: ["BATCH_INVALID", "AGENT_NOT_FOUND", "INPUT_NOT_FOUND", "COLUMN_MISSING", "OUTPUT_EXISTS", "RUN_BUSY"],
      },
      async ({ body: { batch: value, name, rows, limit, force } }) => {
        const batch = await workbench.readBatch({ output: resultsPrefix, ...value });
        const { run } = await runs.start({
          batch,
          ...(name === undefined ? {} : { name }),
          ...(rows === undefined ? {} : { rows }),
          ...(limit === undefined ? {} : { limit }),
          ...(force === undefined ? {} : { force }),
        });
        return detail(run);
      },
    ),
    defineOperation(
      {
        id: "getRun",
        method: "get",
        path: "/runs/{id}",
        tag,
        summary: "Status of a run, with its limits and notifications",
        params: runParams,
        answer: runDetail,
        errors: ["RUN_NOT_FOUND"],
      },
      async ({ params: { id } }) => detail(await engine.describe(id)),
    ),
    defineOperation(
      {
        id: "deleteRun",
        method: "delete",
        path: "/runs/{id}",
        tag,
        summary: "Delete everything that is kept of a run that is not in flight",
        description:
          "Its records, its copy of the table, its recordings, and its output when that lies in the data directory because the batch named none. Never the table that it read, nor an output that the batch named: `left` lists them.",
        params: runParams,
        answer: deletedRun,
        errors: ["RUN_NOT_FOUND", "RUN_BUSY", "RUN_CONFLICT"],
      },
      async ({ params: { id } }) => {
        const [deleted] = await engine.delete([id]);
        return deleted ?? {};
      },
    ),
    defineOperation(
      {
        id: "surveyRun",
        method: "get",
        path: "/runs/{id}/survey",
        tag,
        summary: "Failures by code, slowest rows, rows over time, workers",
        params: runParams,
        answer: runSurvey,
        errors: ["RUN_NOT_FOUND"],
      },
      async ({ params: { id } }) => engine.survey(id),
    ),
    defineOperation(
      {
        id: "adjustRun",
        method: "patch",
        path: "/runs/{id}/limits",
        tag,
        summary: "Change limits of a run while it goes",
        description: "Heeded within a second, in whatever process the run goes on; they also hold when it is resumed.",
        params: runParams,
        body: z.strictObject({
          maxConcurrency: z.int().min(1).exactOptional(),
          toleratedFailurePercentage: z.number().min(0).max(100).exactOptional(),
          toleratedFailureCount: z.int().min(0).exactOptional(),
        }),
        answer: runDetail,
        errors: ["RUN_NOT_FOUND"],
      },
      async ({ params: { id }, body }) => adjust(id, body),
    ),
    ...(
      [
        ["pauseRun", "pause", true, "Start no attempt until the run is unpaused; those under way finish"],
        ["unpauseRun", "unpause", false, "Let a paused run start attempts again"],
      ] as const
    ).map(([id, verb, paused, summary]) =>
      defineOperation(
        {
          id,
          method: "post",
          path: `/runs/{id}/${verb}`,
          tag,
          summary,
          params: runParams,
          answer: runDetail,
          errors: ["RUN_NOT_FOUND"],
        },
        async ({ params }) => adjust(params.id, { paused }),
      ),
    ),
    defineOperation(
      {
        id: "stopRun",
        method: "post",
        path: "/runs/{id}/stop",
        tag,
        summary: "Ask a run to finish its rows in flight and stop",
        params: runParams,
        answer: runDetail,
        errors: ["RUN_NOT_FOUND"],
      },
      async ({ params: { id } }) => detail(await engine.stop(id)),
    ),
    defineOperation(
      {
        id: "resumeRun",
        method: "post",
        path: "/runs/{id}/resume",
        tag,
        summary:
          "Go on with a run that is interrupted or stopped, in the server's process, or with one that is paused, where it is",
        params: runParams,
        answer: runDetail,
        errors: ["RUN_NOT_FOUND", "RUN_BUSY"],
      },
      async ({ params: { id } }) => detail((await runs.resume(id)).run),
    ),
    defineOperation(
      {
        id: "rerunRows",
        method: "post",
        path: "/runs/{id}/rerun",
        tag,
        summary: "Attempt failed rows again: all, by code, or selected ones",
        params: runParams,
        body: z.strictObject({
          codes: z.array(errorCode).min(1).exactOptional(),
          rows: rowSelection.exactOptional(),
        }),
        answer: runDetail,
        errors: ["RUN_NOT_FOUND", "RUN_BUSY"],
      },
      async ({ params: { id }, body }) => detail((await runs.rerun(id, body)).run),
    ),
    defineOperation(
      {
        id: "notifyAgain",
        method: "post",
        path: "/runs/{id}/notify",
        tag,
        summary: "Send notifications of how a run ended that have not arrived",
        params: runParams,
        body: z.strictObject({ all: z.boolean().exactOptional().describe("Also those that have arrived") }),
        answer: z.object({ deliveries: z.array(delivery) }),
        errors: ["RUN_NOT_FOUND", "RUN_BUSY"],
      },
      async ({ params: { id }, body }) => ({ deliveries: await engine.notify(id, body) }),
    ),
  ];
}
