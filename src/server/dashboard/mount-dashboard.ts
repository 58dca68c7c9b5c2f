import type { Hono } from "hono";
import type { ServerContext, ServerEnv } from "../server-setup.ts";
import { mountBatchPages } from "./batch-pages.ts";
import { mountCatalogPages } from "./catalog-pages.ts";
import { createSurveyCache, type Dashboard } from "./dashboard.ts";
import { mountRowPages } from "./row-pages.ts";
import { mountRunPages } from "./run-pages.ts";
import { mountSessionPages } from "./session-pages.ts";
import { createPages, type Pages } from "./show-page.ts";
import { loadStaticFiles } from "./static-files.ts";

/**
 * Adds the dashboard to a server: its pages, what their forms do, its static files.
 *
 * @returns answers with the page that says what went wrong
 */
export function mountDashboard(app: Hono<ServerEnv>, context: ServerContext): Pick<Pages, "showError"> {
  const files = loadStaticFiles();
  const pages = createPages(files.href);
  const surveys = createSurveyCache(context.engine, context.monotonic);
  const dashboard: Dashboard = { ...context, app, pages, surveys };
  files.mount(app);
  mountRunPages(dashboard);
  mountRowPages(dashboard);
  mountCatalogPages(dashboard);
  mountBatchPages(dashboard);
  mountSessionPages(dashboard);
  return pages;
}
