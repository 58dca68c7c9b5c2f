import type { Context, MiddlewareHandler } from "hono";
import type { Audit } from "../core/audit.ts";
import { problemOf } from "./problem.ts";
import { connectionOf } from "./security/peer-user.ts";
import { readBearer } from "./security/secret.ts";
import { sessionId } from "./security/session.ts";
import type { ServerEnv } from "./server-setup.ts";

const safeMethods = ["GET", "HEAD", "OPTIONS"];

/**
 * Notes every request that does something, with how it ended. Operations of the API say by `c.set("audited", …)` what they are called
 * and what they are about; a form of the dashboard is its path, and what it is about is where it leads.
 *
 * @param sessionOf - the value of the session's cookie
 */
export function auditRequests(
  audit: Audit,
  sessionOf: (c: Context) => string | undefined,
): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    await next();
    const { method, path } = c.req;
    const audited = c.get("audited");
    if (safeMethods.includes(method) || audited === "reads" || c.res.headers.has("idempotency-replayed")) return;
    const from = connectionOf(c)?.remoteAddress;
    const target = audited?.target ?? c.res.headers.get("location") ?? undefined;
    await audit({
      via: path.startsWith("/api/") ? "api" : "dashboard",
      by: whoIs(c, sessionOf),
      ...(from === undefined ? {} : { from }),
      action: audited?.action ?? `${method} ${path}`,
      ...(target === undefined ? {} : { target }),
      ...(audited?.detail === undefined ? {} : { detail: audited.detail }),
      outcome: outcomeOf(c),
    });
  };
}

function outcomeOf({ error, res }: Context): string {
  if (error !== undefined) return problemOf(error).code;
  return res.status < 400 ? "done" : String(res.status);
}

// A session is told from another by what cannot be used as one.
function whoIs(c: Context, sessionOf: (c: Context) => string | undefined): string {
  if (readBearer(c.req.header("authorization")) !== undefined) return "token";
  return `session:${sessionId(sessionOf(c) ?? "").slice(0, 8)}`;
}
