import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { RowcallError } from "../../core/errors.ts";
import { isLoopbackHost } from "./loopback.ts";
import { readBearer } from "./secret.ts";
import type { Sessions } from "./session.ts";

/** Who is let in, and how. */
export interface AccessSetup {
  readonly sessions: Sessions;
  /** Answer only requests to a name of this machine itself. */
  readonly loopbackOnly: boolean;
  /** Whether browsers reach the server by https: itself, or through a proxy. */
  readonly isSecure: boolean;
}

// The page to sign in on has styles too; the files are the same for everybody.
const openPaths = /^\/(?:health|ready|assets\/.*)$/;
const safeMethods = ["GET", "HEAD", "OPTIONS"];

/**
 * Lets through only requests that name this machine as their host: a web page whose name was made to lead here names itself.
 *
 * @see https://en.wikipedia.org/wiki/DNS_rebinding
 */
export function guardHost({ loopbackOnly }: AccessSetup): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header("host") ?? "";
    if (!loopbackOnly || isLoopbackHost(host)) return next();
    throw new RowcallError("ORIGIN_FOREIGN", `The host "${host}" is none of this machine's own names`, {
      hint: "Use 127.0.0.1 or localhost, or start the server with --host and a certificate or a proxy.",
    });
  };
}

/**
 * Lets through requests with the token, as `Authorization: Bearer`, or with a session's cookie. `?token=` of the printed address
 * begins a session and leads to the same page without the token, so that it stays in no history and no `Referer`.
 */
export function guardAccess(setup: AccessSetup): MiddlewareHandler {
  const { sessions } = setup;
  return async (c, next) => {
    if (openPaths.test(c.req.path)) return next();
    const bearer = readBearer(c.req.header("authorization"));
    if (bearer !== undefined) {
      if (sessions.isToken(bearer)) return next();
      throw strangerError("The token is not the server's");
    }
    const token = c.req.query("token");
    if (token !== undefined && c.req.method === "GET") return beginSession(c, setup, token);
    const session = getCookie(c, sessions.cookie);
    if (session === undefined || !sessions.isSession(session)) throw strangerError("The request has no token");
    if (!safeMethods.includes(c.req.method) && !isOwnPage(c)) {
      throw new RowcallError("ORIGIN_FOREIGN", "The request comes from a page of another site", {
        hint: "Use the server's own pages, under the address that `rowcall serve` prints.",
      });
    }
    return next();
  };
}

function beginSession(c: Context, { sessions, isSecure }: AccessSetup, token: string): Response {
  if (!sessions.isToken(token)) throw strangerError("The token is not the server's");
  setCookie(c, sessions.cookie, sessions.create(), {
    httpOnly: true,
    sameSite: "Strict",
    secure: isSecure,
    path: "/",
    maxAge: sessions.longestMs / 1000,
  });
  const url = new URL(c.req.url);
  url.searchParams.delete("token");
  // A path of its own that begins with two slashes would lead to another site.
  return c.redirect(`${url.pathname.replace(/^[/\\]+/, "/")}${url.search}`, 303);
}

// Browsers say where a request comes from; what says nothing is no browser, and has to send the token.
function isOwnPage(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") return false;
  const origin = c.req.header("origin");
  if (origin === undefined) return site === "same-origin";
  return URL.canParse(origin) && new URL(origin).host === c.req.header("host");
}

function strangerError(message: string): RowcallError {
  return new RowcallError("TOKEN_INVALID", message, {
    hint: "Open the address that `rowcall serve` prints, or send its token as `Authorization: Bearer …`.",
  });
}
