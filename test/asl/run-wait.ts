import type { WaitState } from "./definition.ts";
import { evaluateNumberIn, evaluateTypedIn, refuse, type Step, type Visit } from "./visit.ts";

const mostSeconds = 99_999_999;
const timestampPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** Waits for seconds, or until a time; a time that is past is no wait. */
export async function runWait(visit: Visit<WaitState>): Promise<Step> {
  const { run, state, branch } = visit;
  await run.world.wait(await waitMs(visit), branch.signal);
  return { outcome: state, at: "", next: state.Next };
}

async function waitMs(visit: Visit<WaitState>): Promise<number> {
  const { Seconds, Timestamp = "" } = visit.state;
  const seconds = await evaluateNumberIn(visit, Seconds, "Seconds", { most: mostSeconds });
  if (seconds !== undefined) return seconds * 1000;
  const timestamp = (await evaluateTypedIn(visit, Timestamp, "string", "Timestamp")) as string;
  const due = timestampPattern.test(timestamp) ? Date.parse(timestamp) : NaN;
  if (Number.isNaN(due))
    refuse(
      visit,
      "Timestamp",
      `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${timestamp}`,
    );
  return Math.max(0, due - visit.run.world.clock());
}
