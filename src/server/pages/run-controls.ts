import { html } from "hono/html";
import type { RunLimits } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { formatCount, plural } from "./format.ts";
import { spoken, type Html, type Notice } from "./parts.ts";

/** What can be done with a run on its page. */
export const runActions = ["pause", "resume", "stop", "concurrency", "rerun"] as const;
/** One of {@link runActions}. */
export type RunAction = (typeof runActions)[number];

/** What has become of a run after something was done with it: told from its status now, not from what was asked. */
export function actionNotice(action: RunAction, run: Run, { maxConcurrency }: RunLimits): Notice {
  const { succeeded, failed, inFlight, pending } = run.counts;
  const isRunning = run.status === "running";
  const finishing =
    inFlight === 0
      ? "No row is in flight"
      : `${plural(inFlight, "row")} in flight ${inFlight === 1 ? "finishes" : "finish"}`;
  const ok = (text: string): Notice => ({ tone: "ok", text });
  switch (action) {
    case "pause":
      if (!isRunning) return ok(`The run is no longer running: it is ${run.status}.`);
      return run.paused === true
        ? ok(`Paused. ${finishing}; ${plural(pending, "row")} wait until you resume.`)
        : { tone: "bad", text: "The run is in progress: it was resumed in the meantime." };
    case "resume":
      if (!isRunning) return ok(`The run is ${run.status}.`);
      return ok(`Running: ${plural(pending + inFlight, "row")} to do, at most ${formatCount(maxConcurrency)} at once.`);
    case "stop":
      return isRunning
        ? ok(`Stopping. ${finishing}, then the table so far is written.`)
        : ok(`Stopped with ${plural(pending, "row")} not final. Resume continues with them.`);
    case "concurrency":
      return ok(`At most ${plural(maxConcurrency, "row")} at once from now on. ${plural(inFlight, "row")} in flight.`);
    case "rerun":
      return isRunning
        ? ok(`Attempting ${plural(pending + inFlight, "row")} again.`)
        : ok(`Attempted again: ${plural(failed, "row")} failed, ${plural(succeeded, "row")} succeeded.`);
  }
}

/** The controls of a run: each says what it does, and only what can be done now is offered. */
export function runControls(run: Run, limits: RunLimits): Html {
  const { inFlight, pending, failed } = run.counts;
  const act = (action: RunAction, label: string, says: string, tone = ""): Html =>
    html`<form class="control" method="post" action="/runs/${run.id}/${action}" data-action>
      <button class="${tone}">${label}</button>
      <p>${says}</p>
    </form>`;
  if (run.status === "running") {
    const finishing = inFlight === 0 ? "" : `, ${plural(inFlight, "row")} in flight finish`;
    return html`<div class="controls">
      ${
        run.paused === true
          ? act(
              "resume",
              "Resume",
              `Paused: no new row starts${finishing}. Resume continues with ${plural(pending, "pending row")}.`,
              "primary",
            )
          : act("pause", "Pause", "No new row starts; rows in flight finish. The run stays open and can be resumed.")
      }
      ${act("stop", "Stop", "Rows in flight finish, the table so far is written, and the run ends. It can be resumed later.", "bad")}
      ${concurrency(run, limits)}
    </div>`;
  }
  const canGoOn = run.status !== "succeeded";
  const rest = `Resume continues with ${plural(pending + inFlight, "row")} not final yet.`;
  return html`<div class="controls">
    ${canGoOn && act("resume", "Resume", `${whyNot(run)} ${rest}`, "primary")}
    ${failed > 0 && act("rerun", "Rerun failed", `Attempts ${plural(failed, "failed row")} again, keeps their history, and writes the whole table again.`)}
    ${!canGoOn && failed === 0 && html`<p class="soft">Every row succeeded: there is nothing left to do.</p>`}
    ${canGoOn && concurrency(run, limits)}
  </div>`;
}

function concurrency({ id }: Run, { maxConcurrency }: RunLimits): Html {
  return html`<form class="control" method="post" action="/runs/${id}/concurrency" data-action>
    <div class="set">
      <label class="visually-hidden" for="concurrency">Rows at once</label>
      <input id="concurrency" name="maxConcurrency" type="number" min="1" max="10000" value="${maxConcurrency}" required />
      <button>Set${spoken(" rows at once")}</button>
    </div>
    <p>At most ${plural(maxConcurrency, "row")} at once now. Fewer lets rows in flight finish; more start at once.</p>
  </form>`;
}

/** Why a run that has not succeeded is not running. */
function whyNot({ status, reason }: Run): string {
  if (status === "interrupted") return "The process that ran it ended.";
  return `${reason ?? (status === "stopped" ? "Stopped" : "Something outside the rows broke")}.`;
}
