import { z } from "zod";
import type { ErrorCode } from "../../../core/errors.ts";
import { parseReference } from "../../../core/registry.ts";
import type { Run } from "../../../core/run.ts";
import { failuresOf, findRun } from "../../../app/find-run.ts";
import { readCodes } from "../../commands/rerun-command.ts";
import { confirmShape, requireConfirmedCost } from "../confirm-cost.ts";
import type { Session } from "../session.ts";
import { describeRun } from "../snapshot.ts";
import { defineTool, type Tool } from "../tool.ts";
import { runShape } from "./run-progress.ts";

/** `rerun_failed`: attempts failed rows of a run again. */
export const rerunFailedTool: Tool = defineTool({
  name: "rerun_failed",
  title: "Attempt failed rows again",
  description:
    "Attempts the failed rows of a finished run again, all or those that failed with certain codes, and writes the whole table again " +
    "in the run's own output file. Rows that succeeded stay as they are. Answers at once; follow it with run_progress. Worth it for " +
    "failures marked may_succeed_when_rerun; others need the table, the batch or the agent mended first.",
  input: z.strictObject({
    ...runShape,
    codes: z.array(z.string()).min(1).optional().describe("Only rows that failed with these codes, such as TIMEOUT"),
    ...confirmShape,
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: async (session, args) => {
    const { engine, runs } = session;
    const run = await findRun(engine, args.run);
    const codes = args.codes === undefined ? undefined : await readCodes(args.codes);
    requireConfirmedCost(await costOf(session, run, codes), args.confirm_cost_usd);
    await runs.rerun(run.id, { codes });
    return describeRun(session, await engine.describe(run.id));
  },
});

/** `resume_run`: continues a run that did not finish. */
export const resumeRunTool: Tool = defineTool({
  name: "resume_run",
  title: "Continue a run",
  description:
    "Continues a run whose status is interrupted, stopped or failed, or that is paused. Rows that are final are not attempted " +
    "again. A run that has finished is shown as it is. Answers at once; follow it with run_progress.",
  input: z.strictObject(runShape),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  run: async (session, args) => {
    const { engine, runs } = session;
    const { id } = await findRun(engine, args.run);
    const { how } = await runs.resume(id);
    const answer = await describeRun(session, await engine.describe(id));
    if (how !== "elsewhere") return answer;
    return { ...answer, say: `The pause is lifted, and the run continues in its process. ${answer.say}` };
  },
});

/** `stop_run`: asks a run to end early. */
export const stopRunTool: Tool = defineTool({
  name: "stop_run",
  title: "Stop a run",
  description:
    "Asks a run to finish its rows in flight and stop, whoever started it. The table so far is written, nothing is lost, and " +
    "resume_run continues with the rest. Stopping takes as long as a row takes: run_progress tells when it is done.",
  input: z.strictObject(runShape),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: async (session, args) => {
    const run = await session.engine.stop((await findRun(session.engine, args.run)).id);
    const answer = await describeRun(session, run);
    if (run.status !== "running") return answer;
    return {
      ...answer,
      say: `Run ${run.id} was asked to stop: its rows in flight finish first. run_progress tells when.`,
    };
  },
});

/** What the failed rows of a run cost when each is attempted once; undefined when it is not known. */
async function costOf(
  session: Session,
  run: Run,
  codes: readonly ErrorCode[] | undefined,
): Promise<number | undefined> {
  const agent = await session.services.registry.agents.resolve(parseReference(run.agent)).catch(() => undefined);
  const each = agent?.estimate?.cost_per_row_usd;
  if (each === undefined || each === 0) return each;
  const failures = await failuresOf(session.engine, run);
  const rows = failures.reduce((sum, { code, count }) => sum + (codes?.includes(code) === false ? 0 : count), 0);
  return Number((each * rows).toFixed(6));
}
