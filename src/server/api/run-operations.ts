import { z } from "zod";
import type { RunLimits } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import type { ServerContext } from "../server-setup.ts";
import { operation, type Operation } from "./operation.ts";
import {
  batchRequest,
  deletedRun,
  delivery,
  errorCode,
  rowSelection,
  runDetail,
  runParams,
  runStatus,
  runSurvey,
  runView,
} from "./schemas.ts";

/** Lists, starts and steers runs. */
export function runOperations({ engine, watch, runs, workbench, resultsPrefix }: ServerContext): readonly Operation[] {
  const detail = async (run: Run): Promise<object> => ({
    run: watch.view(run),
    limits: await engine.limits(run.id),
    deliveries: (await engine.deliveries?.(run.id)) ?? [],
    isHere: runs.isHere(run.id),
  });
  const adjust = async (id: string, change: Partial<RunLimits>): Promise<object> => {
    await engine.adjust(id, change);
    return detail(await engine.describe(id));
  };

  return [
    operation({
      id: "listRuns",
      route: "GET /runs",
      summary: "List and search runs, newest first",
      query: z.object({
        text: z.string().min(1).optional().describe("In id, name, agent or input, in any case"),
        status: runStatus.optional(),
        after: z.string().min(1).optional().describe("`next` of the page before"),
        limit: z.coerce.number().int().min(1).max(200).default(50),
      }),
      answer: z.object({ runs: z.array(runView), next: z.string().exactOptional() }),
      handle: async ({ query: { after, limit, ...query } }) => {
        const found = await engine.list({ ...query, before: after, limit: limit + 1 });
        const shown = found.slice(0, limit);
        return { runs: shown.map(watch.view), next: found.length > limit ? shown.at(-1)?.id : undefined };
      },
    }),
    operation({
      id: "startRun",
      route: "POST /runs",
      summary: "Start a run in the server's process",
      description:
        "A batch that names no output gets a folder of its own in the data directory. With `limit` only the first rows are run, as a sample. Send an `Idempotency-Key` to repeat a request safely.",
      body: batchRequest,
      answer: runDetail,
      status: 201,
      errors: ["BATCH_INVALID", "AGENT_NOT_FOUND", "INPUT_NOT_FOUND", "COLUMN_MISSING", "OUTPUT_EXISTS", "RUN_BUSY"],
      handle: async ({ body: { batch: value, ...request } }) => {
        const batch = await workbench.readBatch({ output: resultsPrefix, ...value });
        const { run } = await runs.start({ ...request, batch });
        return detail(run);
      },
    }),
    operation({
      id: "getRun",
      route: "GET /runs/{id}",
      summary: "Status of a run, with its limits and notifications",
      params: runParams,
      answer: runDetail,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params: { id } }) => detail(await engine.describe(id)),
    }),
    operation({
      id: "deleteRun",
      route: "DELETE /runs/{id}",
      summary: "Delete everything that is kept of a run that is not in flight",
      description:
        "Its records, its copy of the table, its recordings, and its output when that lies in the data directory because the batch named none. Never the table that it read, nor an output that the batch named: `left` lists them.",
      params: runParams,
      answer: deletedRun,
      errors: ["RUN_NOT_FOUND", "RUN_BUSY", "RUN_CONFLICT"],
      handle: async ({ params: { id } }) => {
        const [deleted] = await engine.delete([id]);
        return deleted ?? {};
      },
    }),
    operation({
      id: "surveyRun",
      route: "GET /runs/{id}/survey",
      summary: "Failures by code, slowest rows, rows over time, workers",
      params: runParams,
      answer: runSurvey,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params: { id } }) => engine.survey(id),
    }),
    operation({
      id: "adjustRun",
      route: "PATCH /runs/{id}/limits",
      summary: "Change limits of a run while it runs",
      description: "Takes effect within 1 s, whichever process the run is in; also holds when it is resumed.",
      params: runParams,
      body: z.strictObject({
        maxConcurrency: z.int().min(1).exactOptional(),
        toleratedFailurePercentage: z.number().min(0).max(100).exactOptional(),
        toleratedFailureCount: z.int().min(0).exactOptional(),
      }),
      answer: runDetail,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params: { id }, body }) => adjust(id, body),
    }),
    operation({
      id: "pauseRun",
      route: "POST /runs/{id}/pause",
      summary: "Start no attempt until the run is unpaused; those in flight finish",
      params: runParams,
      answer: runDetail,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params: { id } }) => adjust(id, { paused: true }),
    }),
    operation({
      id: "unpauseRun",
      route: "POST /runs/{id}/unpause",
      summary: "Let a paused run start attempts again",
      params: runParams,
      answer: runDetail,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params: { id } }) => adjust(id, { paused: false }),
    }),
    operation({
      id: "stopRun",
      route: "POST /runs/{id}/stop",
      summary: "Ask a run to finish its rows in flight and stop",
      params: runParams,
      answer: runDetail,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params: { id } }) => detail(await engine.stop(id)),
    }),
    operation({
      id: "resumeRun",
      route: "POST /runs/{id}/resume",
      summary:
        "Continue a run that is interrupted or stopped, in the server's process, or one that is paused, where it is",
      params: runParams,
      answer: runDetail,
      errors: ["RUN_NOT_FOUND", "RUN_BUSY"],
      handle: async ({ params: { id } }) => detail((await runs.resume(id)).run),
    }),
    operation({
      id: "rerunRows",
      route: "POST /runs/{id}/rerun",
      summary: "Attempt failed rows again: all, by code, or selected ones",
      params: runParams,
      body: z.strictObject({
        codes: z.array(errorCode).min(1).exactOptional(),
        rows: rowSelection.exactOptional(),
      }),
      answer: runDetail,
      errors: ["RUN_NOT_FOUND", "RUN_BUSY"],
      handle: async ({ params: { id }, body }) => detail((await runs.rerun(id, body)).run),
    }),
    operation({
      id: "notifyAgain",
      route: "POST /runs/{id}/notify",
      summary: "Send notifications of how a run ended that have not arrived",
      params: runParams,
      body: z.strictObject({ all: z.boolean().exactOptional().describe("Also those that have arrived") }),
      answer: z.object({ deliveries: z.array(delivery) }),
      errors: ["RUN_NOT_FOUND", "RUN_BUSY"],
      handle: async ({ params: { id }, body }) => ({ deliveries: await engine.notify(id, body) }),
    }),
  ];
}
