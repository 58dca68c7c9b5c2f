import type { RerunChoice, RowSelection, RunLimits } from "../../core/engine.ts";
import { isErrorCode, RowcallError } from "../../core/errors.ts";
import { runStatuses, type Run } from "../../core/run.ts";
import { actionNotice, runActions, type RunAction } from "../pages/run-controls.ts";
import { runPage } from "../pages/run-page.ts";
import { runsPage } from "../pages/runs-page.ts";
import { agentOf, downloadLinks, runEventsHref } from "./api-links.ts";
import { filled, queryOf, readForm, type Dashboard } from "./dashboard.ts";

const runsShown = 50;

/** The list of runs, the page of a run, and its controls. */
export function mountRunPages(dashboard: Dashboard): void {
  const { app, pages, engine, watch, surveys } = dashboard;

  app.get("/", async (c) => {
    const query = queryOf(c);
    const text = filled(query, "q");
    const status = runStatuses.find((one) => one === query.get("status"));
    const before = filled(query, "before");
    const found = await engine.list({ limit: runsShown + 1, text, status, before });
    const shown = found.slice(0, runsShown);
    const last = shown.at(-1);
    const next = new URLSearchParams({
      ...(text === undefined ? {} : { q: text }),
      ...(status === undefined ? {} : { status }),
      before: last?.id ?? "",
    });
    return pages.show(
      c,
      runsPage({
        runs: shown.map((run) => watch.view(run)),
        search: text ?? "",
        ...(status === undefined ? {} : { status }),
        ...(found.length > shown.length ? { nextHref: `/?${next}` } : {}),
      }),
    );
  });

  app.get("/runs/:id", async (c) => {
    const run = await engine.describe(c.req.param("id"));
    const [limits, survey, agent] = await Promise.all([
      engine.limits(run.id),
      surveys.of(run),
      agentOf(dashboard, run.agent),
    ]);
    const query = queryOf(c);
    const action = runActions.find((one) => one === query.get("did"));
    const plan = filled(query, "plan");
    const price = agent?.estimate?.cost_per_row_usd;
    return pages.show(
      c,
      runPage({
        run: watch.view(run),
        limits,
        survey,
        ...(price === undefined ? {} : costs(run, survey.attempts, price)),
        downloads: downloadLinks(run),
        eventsHref: runEventsHref(run.id),
        // Only a plan of this server is led back to.
        ...(plan?.startsWith("/new/plan?") === true ? { planHref: plan } : {}),
        ...(action === undefined ? {} : { notice: actionNotice(action, run, limits) }),
      }),
    );
  });

  for (const action of runActions) {
    app.post(`/runs/:id/${action}`, async (c) => {
      const id = c.req.param("id") ?? "";
      await act(dashboard, action, id, await readForm(c));
      return c.redirect(`/runs/${encodeURIComponent(id)}?did=${action}`, 303);
    });
  }
}

function costs(run: Run, attempts: number, price: number): { costUsd: number; projectedCostUsd: number } {
  const { pending, inFlight } = run.counts;
  return { costUsd: attempts * price, projectedCostUsd: (attempts + pending + inFlight) * price };
}

async function act({ engine, runs }: Dashboard, action: RunAction, id: string, form: URLSearchParams): Promise<void> {
  switch (action) {
    case "pause":
      await engine.adjust(id, { paused: true });
      return;
    case "resume":
      // Asked for a second time, it is so already.
      if (!isGoing(await engine.describe(id))) await runs.resume(id);
      return;
    case "stop":
      await engine.stop(id);
      return;
    case "concurrency":
      await engine.adjust(id, concurrencyOf(form));
      return;
    case "rerun":
      await runs.rerun(id, rerunChoice(form));
  }
}

function isGoing({ status, paused }: Run): boolean {
  return status === "running" && paused !== true;
}

function concurrencyOf(form: URLSearchParams): Partial<RunLimits> {
  const text = filled(form, "maxConcurrency") ?? "";
  if (/^[1-9]\d{0,5}$/.test(text)) return { maxConcurrency: Number(text) };
  throw new RowcallError("USAGE_INVALID", `"${text}" is no number of rows at once`, {
    hint: "Give a number from 1 on.",
  });
}

function rerunChoice(form: URLSearchParams): RerunChoice {
  const codes = form.getAll("code").filter(isErrorCode);
  const rows = form.getAll("row").map(Number).filter(Number.isSafeInteger);
  if (form.has("selected") && rows.length === 0) {
    throw new RowcallError("USAGE_INVALID", "No row is ticked", { hint: "Tick the failed rows to attempt again." });
  }
  return {
    ...(codes.length === 0 ? {} : { codes }),
    ...(rows.length === 0 ? {} : { rows: selectionOf(rows) }),
  };
}

function selectionOf(rows: readonly number[]): RowSelection {
  return [...new Set(rows)].toSorted((a, b) => a - b).map((row) => [row, row] as const);
}
