import { z } from "zod";
import type { StartRequest } from "../../../core/engine.ts";
import { RowcallError } from "../../../core/errors.ts";
import type { Run } from "../../../core/run.ts";
import { lookUpRun } from "../../../app/find-run.ts";
import { requireBatch } from "../../../runs/load-batch.ts";
import { count } from "../../print/output.ts";
import { confirmShape, requireConfirmedCost } from "../confirm-cost.ts";
import type { Session } from "../session.ts";
import { batchShape, loadAllowedBatch } from "../load-allowed-batch.ts";
import { describeRun } from "../snapshot.ts";
import { defineTool, type Tool } from "../tool.ts";
import { choiceOf, choiceShape } from "./plan-batch.ts";

/** `start_batch`: begins a run and answers at once. */
export const startBatchTool: Tool = defineTool({
  name: "start_batch",
  title: "Start running a table",
  description:
    "Starts a run: the agent is called once for every row of the table, many rows at once, with retries. Answers at once; the run " +
    "continues in the background, so call run_progress next. The same name again never starts a second run: it shows or continues " +
    "the first one, so a call that timed out may simply be repeated. The batch is checked as by plan_batch before anything is spent.",
  input: z.strictObject({
    ...batchShape,
    name: z
      .string()
      .min(1)
      .max(100)
      .describe(
        "A name of your choice for this run, such as addresses-2025-10-18; another batch or sample needs another name",
      ),
    ...choiceShape,
    ...confirmShape,
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  run: async (session, args) => {
    const { name } = args;
    const read = await loadAllowedBatch(session, args, ["input", "output"]);
    const batch = requireBatch(read);
    const choice = choiceOf(args);
    if ((await lookUpRun(session.engine, name)) === undefined) {
      const plan = await session.plan(read, choice);
      const failed = plan.checks.filter(({ status }) => status === "failed");
      if (failed.length > 0) {
        const titles = failed.map(({ title }) => title).join("; ");
        throw new RowcallError(
          "PLAN_FAILED",
          `The batch cannot run: ${count(failed.length, "check")} failed: ${titles}`,
        );
      }
      requireConfirmedCost(plan.estimate.costUsd, args.confirm_cost_usd);
    }
    const run = await startOnce(session, name, { batch, name, ...choice });
    return describeRun(session, await session.engine.describe(run.id));
  },
});

// A run of that name that is going already is what was asked for: the engine says that it is busy once it knows the batch is the same.
async function startOnce(session: Session, name: string, request: StartRequest): Promise<Run> {
  try {
    return (await session.runs.start(request)).run;
  } catch (error) {
    if (error instanceof RowcallError && error.code === "RUN_BUSY") return session.engine.describe(name);
    throw error;
  }
}
