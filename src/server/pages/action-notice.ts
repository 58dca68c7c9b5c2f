import type { RunLimits } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { formatCount, plural } from "./format.ts";
import type { Notice } from "./parts.ts";

/** What can be done with a run on its page. */
export const runActions = ["pause", "resume", "stop", "concurrency", "rerun"] as const;
/** One of {@link runActions}. */
export type RunAction = (typeof runActions)[number];

/** What has become of a run after something was done with it: told from how it stands now, not from what was asked. */
export function actionNotice(action: RunAction, run: Run, limits: RunLimits): Notice {
  const { inFlight, pending } = run.counts;
  const isRunning = run.status === "running";
  const finishing =
    inFlight === 0
      ? "No row is in flight"
      : `${plural(inFlight, "row")} in flight ${inFlight === 1 ? "finishes" : "finish"}`;
  const ok = (text: string): Notice => ({ tone: "ok", text });
  switch (action) {
    case "pause":
      if (!isRunning) return ok(`The run is not going any more: it is ${run.status}.`);
      return run.paused === true
        ? ok(`Paused. ${finishing}; ${plural(pending, "row")} wait until you resume.`)
        : { tone: "bad", text: "The run is going: somebody has resumed it meanwhile." };
    case "resume":
      if (!isRunning) return ok(`The run is ${run.status}.`);
      return ok(
        `The run goes on: ${plural(pending + inFlight, "row")} to do, at most ${formatCount(limits.maxConcurrency)} at once.`,
      );
    case "stop":
      return isRunning
        ? ok(`Stopping. ${finishing}, then the table so far is written.`)
        : ok(`Stopped with ${plural(pending, "row")} not decided. Resume goes on with them.`);
    case "concurrency":
      return ok(
        `At most ${plural(limits.maxConcurrency, "row")} at once from now on. ${plural(inFlight, "row")} in flight.`,
      );
    case "rerun":
      return ok(
        isRunning
          ? `Attempting ${plural(pending + inFlight, "row")} again.`
          : `Attempted again: ${plural(run.counts.failed, "row")} failed, ${plural(run.counts.succeeded, "row")} succeeded.`,
      );
  }
}
