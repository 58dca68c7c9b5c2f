import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { Run } from "../../../core/run.ts";
import { findRun } from "../../../app/find-run.ts";
import type { Session } from "../session.ts";
import { describeRun, noteRun, percentOf } from "../snapshot.ts";
import { defineTool, type Tool } from "../tool.ts";

/** The argument that names a run. */
export const runShape = {
  run: z.string().min(1).describe('Id or name of the run, or "last" for the newest'),
};

const lookEveryMs = 250;

/** `run_progress`: where a run stands, once there is something to tell. */
export const runProgressTool: Tool = defineTool({
  name: "run_progress",
  title: "Wait for news of a run",
  description:
    "Status of a run: percent, rows succeeded and failed, rate, time left, failures by code. While the run is in flight it first " +
    "waits up to wait_seconds for news (the end, the first failure, another 5 % of the rows), so call it again and again without " +
    "pausing in between, and stop when status is no longer `running`. The run continues whether you ask or not.",
  input: z.strictObject({
    ...runShape,
    wait_seconds: z.number().min(0).max(45).default(12).describe("Longest wait for news; 0 answers at once"),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async (session, args, { signal }) => {
    const { id } = await findRun(session.engine, args.run);
    return describeRun(session, await newsOf(session, id, args.wait_seconds, signal));
  },
});

async function newsOf(
  { engine, runs, ...session }: Session,
  id: string,
  seconds: number,
  signal: AbortSignal,
): Promise<Run> {
  const before = await engine.describe(id);
  const until = session.services.monotonic() + seconds * 1000;
  const givenUp = AbortSignal.any([signal, runs.draining]);
  let now = before;
  noteRun(session, now);
  while (!isNews(before, now) && session.services.monotonic() < until && !givenUp.aborted) {
    await wait(Math.min(lookEveryMs, until - session.services.monotonic()), undefined, { signal: givenUp }).catch(
      () => {},
    );
    now = await engine.describe(id);
    noteRun(session, now);
  }
  return now;
}

function isNews(before: Run, now: Run): boolean {
  return (
    now.status !== "running" ||
    (before.counts.failed === 0 && now.counts.failed > 0) ||
    percentOf(now) - percentOf(before) >= 5
  );
}
