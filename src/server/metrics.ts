import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { shownStatus, type Run } from "../core/run.ts";
import type { ServerContext, ServerEnv } from "./server-setup.ts";

/** Numbers about the server and its runs, for Prometheus. */
export interface Metrics {
  /** Measures every request. */
  readonly measure: MiddlewareHandler;
  /** Answers `/metrics`. */
  answer(c: Context<ServerEnv>): Promise<Response>;
}

const shownRuns = 1000;

/**
 * Opens the server's metrics. Those of runs are read when they are asked for; rows are told for running runs only, so that the series
 * do not grow with the history.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function openMetrics({ engine, watch, monotonic }: ServerContext): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "rowcall_http_request_duration_seconds",
    help: "Time until an answer has begun",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const runs = new Gauge({ name: "rowcall_runs", help: "Runs by status", labelNames: ["status"], registers });
  const rows = new Gauge({
    name: "rowcall_run_rows",
    help: "Rows of running runs by status",
    labelNames: ["run", "agent", "status"],
    registers,
  });
  const rate = new Gauge({
    name: "rowcall_run_rows_per_second",
    help: "Rows of running runs that become final in a second",
    labelNames: ["run", "agent"],
    registers,
  });
  const watchers = new Gauge({ name: "rowcall_watchers", help: "Streams of live events that are open", registers });

  const collect = (found: readonly Run[]): void => {
    runs.reset();
    rows.reset();
    rate.reset();
    for (const run of found) {
      runs.inc({ status: shownStatus(run) });
      if (run.status !== "running") continue;
      const labels = { run: run.id, agent: run.agent };
      const { total: _total, ...counts } = run.counts;
      for (const [status, many] of Object.entries(counts)) rows.set({ ...labels, status }, many);
      rate.set(labels, watch.view(run).rowsPerSecond ?? 0);
    }
    watchers.set(watch.watchers);
  };
  return {
    measure: async (c, next) => {
      const startedAt = monotonic();
      await next();
      const labels = { method: c.req.method, route: routePath(c, -1), status: String(c.res.status) };
      requests.observe(labels, (monotonic() - startedAt) / 1000);
    },
    answer: async (c) => {
      collect(await engine.list({ limit: shownRuns }));
      return c.body(await registry.metrics(), 200, { "Content-Type": registry.contentType });
    },
  };
}
