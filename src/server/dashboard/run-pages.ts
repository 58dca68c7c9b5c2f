import type { RerunChoice, RunLimits } from "../../core/engine.ts";
import { isErrorCode, RowcallError } from "../../core/errors.ts";
import { runStatuses, shownStatus } from "../../core/run.ts";
import { actionNotice, runActions, type RunAction } from "../pages/run-controls.ts";
import { runPage } from "../pages/run-page.ts";
import { runsPage } from "../pages/runs-page.ts";
import { agentOf, filled, queryOf, readForm, type Dashboard } from "./dashboard.ts";

const runsShown = 50;

/** The list of runs, the page of a run, and its controls. */
export function mountRunPages(dashboard: Dashboard): void {
  const { app, pages, engine, watch, surveys } = dashboard;

  app.get("/", async (c) => {
    const query = queryOf(c);
    const text = filled(query, "q");
    const status = runStatuses.find((one) => one === query.get("status"));
    const found = await engine.list({ limit: runsShown + 1, text, status, before: filled(query, "before") });
    const shown = found.slice(0, runsShown);
    query.set("before", shown.at(-1)?.id ?? "");
    return pages.show(
      c,
      runsPage({
        runs: shown.map(watch.view),
        search: text,
        status,
        nextHref: found.length > shown.length ? `/?${query}` : undefined,
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
    return pages.show(
      c,
      runPage({
        run: watch.view(run),
        limits,
        survey,
        priceUsd: agent?.estimate?.cost_per_row_usd,
        // Only a plan of this server is led back to.
        planHref: plan?.startsWith("/new/plan?") === true ? plan : undefined,
        did: action && actionNotice(action, run, limits),
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

async function act({ engine, runs }: Dashboard, action: RunAction, id: string, form: URLSearchParams): Promise<void> {
  switch (action) {
    case "pause":
      await engine.adjust(id, { paused: true });
      return;
    case "resume":
      // Asked for a second time, it is so already.
      if (shownStatus(await engine.describe(id)) !== "running") await runs.resume(id);
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

function concurrencyOf(form: URLSearchParams): Partial<RunLimits> {
  const text = filled(form, "maxConcurrency") ?? "";
  if (/^[1-9]\d{0,5}$/.test(text)) return { maxConcurrency: Number(text) };
  throw new RowcallError("USAGE_INVALID", `"${text}" is not a number of rows at once`, {
    hint: "Give a whole number, 1 or more.",
  });
}

function rerunChoice(form: URLSearchParams): RerunChoice {
  const codes = form.getAll("code").filter(isErrorCode);
  const rows = [...new Set(form.getAll("row").map(Number))].filter(Number.isSafeInteger).toSorted((a, b) => a - b);
  if (form.has("selected") && rows.length === 0) {
    throw new RowcallError("USAGE_INVALID", "No row is selected", { hint: "Select the failed rows to attempt again." });
  }
  return {
    codes: codes.length === 0 ? undefined : codes,
    rows: rows.length === 0 ? undefined : rows.map((row) => [row, row] as const),
  };
}
