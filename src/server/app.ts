import { Hono } from "hono";
import { RowcallError, messageOf } from "../core/errors.ts";
import { joinUri } from "../core/uri.ts";
import { apiRoot, limitBodies, mountOperations } from "./api/mount-api.ts";
import { listOperations } from "./api/list-operations.ts";
import { openApiDocument } from "./api/openapi.ts";
import { auditRequests } from "./audit-requests.ts";
import { rememberAnswers } from "./idempotency.ts";
import { keepRemoving } from "./kept-files.ts";
import { openMetrics } from "./metrics.ts";
import { problemOf, sendProblem } from "./problem.ts";
import { createRunHost } from "../app/run-host.ts";
import { createRunWatch } from "./run-watch.ts";
import { guardAccess, guardHost, protect } from "./security/access.ts";
import { createSessions } from "./security/session.ts";
import type { ServerContext, ServerEnv, ServerSetup } from "./server-setup.ts";

/** A server without its port. */
export interface ServerApp {
  readonly app: Hono<ServerEnv>;
  readonly context: ServerContext;
  /** Makes a code for an address, `/?code=…`, that begins one session. */
  createCode(): string;
  /** Ends live events, lets rows in flight of runs in this process finish, and ends. */
  close(): Promise<void>;
}

const usualUpload = 10 * 1024 ** 3;
const usualUploads = 50 * 1024 ** 3;
const usualKeepMs = 30 * 24 * 3_600_000;

/**
 * Builds the server: the API under `/api/v1`, `/metrics`, `/health`, `/ready`, and the pages that are mounted.
 *
 * Every answer has the headers of `protect`; every request but those for health passes `guardHost` and `guardAccess`. What is
 * thrown anywhere becomes a problem (`problemOf`).
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
    maxUploadBytes: setup.maxUploadBytes ?? usualUpload,
    maxUploadsBytes: setup.maxUploadsBytes ?? usualUploads,
    uploaded: { bytes: 0 },
    resultsPrefix: joinUri(setup.dataDirectory, "results/"),
  };
  const removing = keepRemoving(setup.dataDirectory, clock, setup.keepMs ?? usualKeepMs);
  const access = { sessions, loopbackOnly, isSecure, isProxied };

  const app = new Hono<ServerEnv>();
  app.onError((thrown, c) => sendProblem(c, problemOf(thrown)));
  app.notFound((c) => sendProblem(c, problemOf(unknownRequest(c.req.method, c.req.path))));
  app.use(protect(isSecure));
  app.use(guardHost(access));
  if (setup.audit !== undefined) app.use(auditRequests(setup.audit));
  app.use(guardAccess(access));
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
  mountOperations(app, operations);
  app.get(`${apiRoot}/openapi.json`, (c) => c.json(openApiDocument(operations, setup.version)));
  setup.mountPages?.(app, context);
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

function unknownRequest(method: string, path: string): RowcallError {
  return new RowcallError("REQUEST_UNKNOWN", `There is nothing at ${method} ${path}`, {
    hint: "/api/v1/openapi.json lists every operation.",
  });
}
