import { Hono, type Context } from "hono";
import { RowcallError, messageOf } from "../core/errors.ts";
import { joinUri } from "../core/uri.ts";
import { apiRoot, limitBodies, mountOperations } from "./api/mount-api.ts";
import { listOperations } from "./api/list-operations.ts";
import { openApiDocument } from "./api/openapi.ts";
import { auditRequests } from "./audit-requests.ts";
import { mountDashboard } from "./dashboard/mount-dashboard.ts";
import { rememberAnswers } from "./idempotency.ts";
import { keepRemoving } from "./kept-files.ts";
import { openMetrics } from "./metrics.ts";
import { sendProblem } from "./problem.ts";
import { createRunHost } from "../app/run-host.ts";
import { createRunWatch } from "./run-watch.ts";
import { guardAccess, onlyLoopbackHosts, protect } from "./security/access.ts";
import { createSessions } from "./security/session.ts";
import type { ServerContext, ServerEnv, ServerSetup } from "./server-setup.ts";
import { createTries } from "./tries.ts";
import { createUploads } from "./uploads.ts";

/** A server without its port. */
export interface ServerApp {
  readonly app: Hono<ServerEnv>;
  readonly context: ServerContext;
  /** Makes a code for an address, `/?code=…`, that begins one session. */
  createCode(): string;
  /** Ends live events, lets rows in flight of runs in this process finish, and ends. */
  close(): Promise<void>;
}

const usualKeepMs = 30 * 24 * 3_600_000;

/**
 * Builds the server: the API under `/api/v1`, `/metrics`, `/health`, `/ready`, and the dashboard.
 *
 * Every answer has the headers of `protect`; every request but those for health passes `guardAccess`. What is thrown anywhere
 * becomes a page for who reads pages, else a problem.
 */
export function createServerApp(setup: ServerSetup): ServerApp {
  const { engine, clock, isSecure = false, isProxied = false, loopbackOnly = true } = setup;
  const sessions = createSessions(setup.token, setup.dataDirectory, clock);
  const watch = createRunWatch(engine, setup);
  // When the server ends, runs drain and are `interrupted`. They do not go on by themselves when it starts again: nobody may be there
  // to see what they do, so somebody resumes them.
  const runs = createRunHost(engine, {
    onEvent: ({ id }, event) => watch.tell(id, event),
    onBroken: ({ id }, error) => watch.tell(id, { type: "warning", message: `The run broke: ${messageOf(error)}` }),
  });
  const context: ServerContext = {
    ...setup,
    watch,
    runs,
    sessions,
    tries: createTries(setup.workbench),
    uploads: createUploads(setup),
    resultsPrefix: joinUri(setup.dataDirectory, "results/"),
  };
  const removing = keepRemoving(setup.dataDirectory, clock, setup.keepMs ?? usualKeepMs);
  const app = new Hono<ServerEnv>();
  app.use(protect(isSecure));
  if (loopbackOnly) app.use(onlyLoopbackHosts());
  if (setup.audit !== undefined) app.use(auditRequests(setup.audit));
  app.use(guardAccess({ sessions, isSecure, isProxied }));
  const metrics = openMetrics(context);
  app.use(metrics.measure);
  app.get("/metrics", metrics.answer);
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/ready", async (c) => {
    await engine.list({ limit: 1 });
    return c.json({ status: "ready" });
  });
  app.use(limitBodies());
  app.use(`${apiRoot}/*`, rememberAnswers(setup.store, setup.dataDirectory));
  const operations = listOperations(context);
  mountOperations(app, Object.values(operations).flat());
  app.get(`${apiRoot}/openapi.json`, (c) => c.json(openApiDocument(operations, setup.version)));
  const { showError } = mountDashboard(app, context);
  const fail = (c: Context<ServerEnv>, thrown: unknown): Response | Promise<Response> =>
    readsPages(c) ? showError(c, thrown) : sendProblem(c, thrown);
  app.onError((thrown, c) => fail(c, thrown));
  app.notFound((c) => fail(c, unknownRequest(c)));
  return {
    app,
    context,
    createCode: sessions.createCode,
    close: async () => {
      watch.close();
      await removing.end();
      await runs.drain();
    },
  };
}

function readsPages({ req }: Context): boolean {
  return !req.path.startsWith("/api/") && req.header("accept")?.includes("text/html") === true;
}

function unknownRequest(c: Context): RowcallError {
  return new RowcallError("REQUEST_UNKNOWN", `There is nothing at ${c.req.method} ${c.req.path}`, {
    hint: readsPages(c) ? "Look for it among the runs or the agents." : "/api/v1/openapi.json lists every operation.",
  });
}
