import type { Context } from "hono";
import { RowcallError } from "../../core/errors.ts";
import { problemOf, sendProblem } from "../problem.ts";
import type { ServerEnv, ServerSetup } from "../server-setup.ts";
import { mountBatchPages } from "./batch-pages.ts";
import { type Dashboard, createSurveyCache } from "./dashboard.ts";
import { mountRowPages } from "./row-pages.ts";
import { mountRunPages } from "./run-pages.ts";
import { mountCatalogPages } from "./catalog-pages.ts";
import { mountSessionPages } from "./session-pages.ts";
import { createPages } from "./show-page.ts";
import { loadStaticFiles } from "./static-files.ts";
import { createTryRecordings } from "./try-recordings.ts";

/** Adds the dashboard to a server: its pages, what their forms do, its static files, and errors as pages for who reads pages. */
export const mountDashboard: NonNullable<ServerSetup["mountPages"]> = (app, context) => {
  const files = loadStaticFiles();
  const pages = createPages(files.href);
  const tries = createTryRecordings(context.store);
  const dashboard: Dashboard = {
    ...context,
    app,
    pages,
    surveys: createSurveyCache(context.engine, context.monotonic),
    tries,
  };
  files.mount(app);
  tries.mount(app);
  mountRunPages(dashboard);
  mountRowPages(dashboard);
  mountCatalogPages(dashboard);
  mountBatchPages(dashboard);
  mountSessionPages(dashboard);
  const answer = (c: Context<ServerEnv>, thrown: unknown): Response | Promise<Response> =>
    readsPages(c) ? pages.showError(c, thrown) : sendProblem(c, problemOf(thrown));
  app.onError((thrown, c) => answer(c, thrown));
  app.notFound((c) =>
    answer(
      c,
      new RowcallError("REQUEST_UNKNOWN", `There is nothing at ${c.req.method} ${c.req.path}`, {
        hint: readsPages(c)
          ? "Look for it among the runs or the agents."
          : "/api/v1/openapi.json lists every operation.",
      }),
    ),
  );
};

function readsPages(c: Context): boolean {
  return !c.req.path.startsWith("/api/") && c.req.header("accept")?.includes("text/html") === true;
}
