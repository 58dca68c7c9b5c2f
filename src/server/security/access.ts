import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { RowcallError } from "../../core/errors.ts";
import { isLoopbackHost } from "./loopback.ts";
import { connectionOf, peerUser, type Ends } from "./peer-user.ts";
import { readBearer } from "./secret.ts";
import { sessionId, type Sessions, type Visitor } from "./session.ts";

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
const longestForm = 4096;
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

/** Where the token of a form begins a session. */
export const signInPath = "/sign-in";
const signOutPath = "/sign-out";

/**
 * Lets through requests with the token, as `Authorization: Bearer`, or with a session's cookie. `?code=` of the printed address begins a
 * session once, and leads to the same page without the code.
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
    const value = readSession(c, setup);
    const isOpen = value !== undefined && (await sessions.isOpen(value, await visitorOf(c)));
    const code = c.req.method === "GET" ? c.req.query("code") : undefined;
    if (code !== undefined && !isOpen) {
      if (!sessions.takeCode(code)) throw strangerError("The code of the address was used, or is too old");
      await beginSession(c, setup);
    }
    if (code !== undefined) return withoutCode(c);
    if (c.req.path === signInPath && c.req.method === "POST") return signIn(c, setup);
    if (!isOpen) throw strangerError("The request has no token");
    if (!safeMethods.includes(c.req.method) && !isOwnPage(c)) {
      throw new RowcallError("ORIGIN_FOREIGN", "The request comes from a page of another site", {
        hint: "Use the server's own pages, under the address that `rowcall serve` prints.",
      });
    }
    if (c.req.path === signOutPath && c.req.method === "POST") {
      await sessions.end(sessionId(value));
      deleteCookie(c, cookieName(c, setup), { path: "/", secure: setup.isSecure });
      return c.redirect("/", 303);
    }
    return next();
  };
}

/** The value of the session's cookie that a request has. */
export function readSession(c: Context, setup: AccessSetup): string | undefined {
  return getCookie(c, cookieName(c, setup));
}

// With https no other server can get it by way of another protocol; without it, servers at other ports have cookies of their own.
function cookieName(c: Context, { sessions, isSecure }: AccessSetup): string {
  const [, port = "80"] = /:(\d+)$/.exec(c.req.header("host") ?? "") ?? [];
  return isSecure ? `__Host-${sessions.cookie}` : `${sessions.cookie}_${port}`;
}

async function visitorOf(c: Context): Promise<Visitor> {
  const connection = connectionOf(c);
  const user = connection === undefined ? undefined : await userOf(connection);
  return { host: c.req.header("host") ?? "", user, browser: c.req.header("user-agent") };
}

// A connection stays its user's; to look for one takes a while where there are many.
const users = new WeakMap<Ends, Promise<number | undefined>>();

function userOf(socket: Ends): Promise<number | undefined> {
  const known = users.get(socket) ?? peerUser(socket);
  users.set(socket, known);
  return known;
}

async function beginSession(c: Context, setup: AccessSetup): Promise<void> {
  const { sessions, isSecure } = setup;
  setCookie(c, cookieName(c, setup), await sessions.begin(await visitorOf(c)), {
    httpOnly: true,
    sameSite: "Strict",
    secure: isSecure,
    path: "/",
    maxAge: sessions.longestMs / 1000,
  });
}

function withoutCode(c: Context): Response {
  const url = new URL(c.req.url);
  url.searchParams.delete("code");
  // A path of its own that begins with two slashes would lead to another site.
  return c.redirect(`${url.pathname.replace(/^[/\\]+/, "/")}${url.search}`, 303);
}

// A form rather than an address: a token in an address stands in histories, and in the arguments of the program that opens it.
async function signIn(c: Context, setup: AccessSetup): Promise<Response> {
  const length = Number(c.req.header("content-length") ?? Number.NaN);
  if (!(length <= longestForm)) throw strangerError("The form is no token");
  const token = new URLSearchParams(await c.req.text()).get("token") ?? "";
  if (!setup.sessions.isToken(token.trim())) throw strangerError("The token is not the server's");
  await beginSession(c, setup);
  return c.redirect("/", 303);
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
    hint: "Open the address that `rowcall serve` prints, or send the token of the file server-token in the data directory as `Authorization: Bearer …`.",
  });
}
