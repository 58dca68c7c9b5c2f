import type { Context, MiddlewareHandler } from "hono";
import type { Audit } from "../app/audit.ts";
import { errorOf } from "./problem.ts";
import { connectionOf } from "./security/access.ts";
import type { Caller } from "./security/session.ts";
import type { ServerEnv } from "./server-setup.ts";

const safeMethods = ["GET", "HEAD", "OPTIONS"];

/**
 * Notes every request of somebody who was let in that does something, with how it ended. Who knows says by `c.set("audited", …)` what
 * it is called and what it is about; a form of the dashboard is its path, and what it is about is where it leads.
 */
export function auditRequests(audit: Audit): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    await next();
    const { method, path } = c.req;
    const caller = c.get("caller");
    const audited = c.get("audited");
    if (caller === undefined || audited === "reads" || c.res.headers.has("idempotency-replayed")) return;
    if (audited === undefined && safeMethods.includes(method)) return;
    await audit({
      via: path.startsWith("/api/") ? "api" : "dashboard",
      by: whoIs(caller),
      from: connectionOf(c)?.remoteAddress,
      action: audited?.action ?? `${method} ${path}`,
      target: audited === undefined ? (c.res.headers.get("location") ?? undefined) : audited.target,
      detail: audited?.detail,
      outcome: outcomeOf(c),
    });
  };
}

function outcomeOf({ error, res }: Context): string {
  if (error !== undefined) return errorOf(error).code;
  return res.status < 400 ? "done" : String(res.status);
}

// A session is told from another by what cannot be used as one.
function whoIs({ session }: Caller): string {
  return session === undefined ? "token" : `session:${session.slice(0, 8)}`;
}
