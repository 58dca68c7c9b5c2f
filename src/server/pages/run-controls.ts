import type { RunLimits } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { formatCount, plural } from "./format.ts";
import type { Notice } from "./parts.ts";
import { html } from "hono/html";
import type { Html } from "./frame.ts";

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
        : { tone: "bad", text: "The run is in progress: it was resumed meanwhile." };
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

/** What can be done with a run as it stands. */
export interface ControlsView {
  readonly run: Run;
  readonly limits: RunLimits;
}

/** The controls of a run: each says what it does, and only what can be done now is offered. */
export function runControls(view: ControlsView): Html {
  const { run, limits } = view;
  const isPaused = run.paused === true;
  const { inFlight, pending, failed } = run.counts;
  const act = (action: string, label: string, says: string, tone = ""): Html =>
    html`<form class="control" method="post" action="/runs/${run.id}/${action}" data-action>
      <button class="${tone}">${label}</button>
      <p>${says}</p>
    </form>`;
  if (run.status === "running") {
    return html`<div class="controls">
      ${
        isPaused
          ? act(
              "resume",
              "Resume",
              `Paused: no new row starts${inFlight === 0 ? "" : `, ${plural(inFlight, "row")} in flight finish`}. Resume goes on with ${plural(pending, "pending row")}.`,
              "primary",
            )
          : act("pause", "Pause", "No new row starts; rows in flight finish. The run stays open and can be resumed.")
      }
      ${act("stop", "Stop", "Rows in flight finish, the table so far is written, and the run ends. It can be resumed later.", "danger")}
      ${concurrency(run, limits)}
    </div>`;
  }
  const canGoOn = run.status !== "succeeded";
  return html`<div class="controls">
    ${
      canGoOn
        ? act(
            "resume",
            "Resume",
            `${stateOf(run)} Resume goes on with ${plural(pending + inFlight, "row")} not decided yet.`,
            "primary",
          )
        : ""
    }
    ${
      failed > 0
        ? act(
            "rerun",
            "Rerun failed",
            `Attempts ${plural(failed, "failed row")} again, keeps their history, and writes the whole table again.`,
          )
        : ""
    }
    ${!canGoOn && failed === 0 ? html`<p class="soft">Every row succeeded: there is nothing left to do.</p>` : ""}
    ${canGoOn ? concurrency(run, limits) : ""}
  </div>`;
}

function concurrency(run: Run, { maxConcurrency }: RunLimits): Html {
  return html`<form class="control" method="post" action="/runs/${run.id}/concurrency" data-action>
    <div class="set">
      <label class="visually-hidden" for="concurrency">Rows at once</label>
      <input
        id="concurrency"
        name="maxConcurrency"
        type="number"
        min="1"
        max="10000"
        value="${maxConcurrency}"
        required
      />
      <button>Set<span class="visually-hidden"> rows at once</span></button>
    </div>
    <p>At most ${plural(maxConcurrency, "row")} at once now. Fewer lets rows in flight finish; more start at once.</p>
  </form>`;
}

function stateOf({ status, reason }: Run): string {
  switch (status) {
    case "stopped":
      return `${reason ?? "Stopped"}.`;
    case "interrupted":
      return "The process that ran it ended.";
    case "failed":
      return `${reason ?? "Something outside the rows broke"}.`;
    case "running":
    case "succeeded":
      return "";
  }
}
