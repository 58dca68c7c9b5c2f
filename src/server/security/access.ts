import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import type { MiddlewareHandler, Context } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { isErrorCode, RowcallError } from "../../core/errors.ts";
import { plainAddress, userOfEnd } from "../../core/tcp-table.ts";
import type { ServerEnv } from "../server-setup.ts";
import { sessionId, type Caller, type Sessions, type Visitor } from "./session.ts";

/**
 * Headers of every answer: nothing comes from, goes to or is framed by another site; scripts and styles are files of the server, or
 * carry the nonce of the answer (`c.get("secureHeadersNonce")`).
 *
 * @param isSecure - whether browsers reach the server by https
 */
export function protect(isSecure: boolean): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'", NONCE],
      styleSrc: ["'self'", NONCE],
      imgSrc: ["'self'", "data:"],
      mediaSrc: ["'self'"],
      fontSrc: ["'self'"],
      connectSrc: ["'self'"],
      manifestSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: "DENY",
    // With "no-referrer", forms of the pages would name the origin "null", as those of other sites may.
    referrerPolicy: "same-origin",
    crossOriginOpenerPolicy: "same-origin",
    crossOriginResourcePolicy: "same-origin",
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
    strictTransportSecurity: isSecure ? "max-age=15552000" : false,
  });
}

/** Who is let in, and how. */
export interface AccessSetup {
  readonly sessions: Sessions;
  /** Whether browsers reach the server by https: itself, or through a proxy. */
  readonly isSecure: boolean;
  /** Whether requests come by way of a proxy: then nobody knows where from. */
  readonly isProxied: boolean;
}

// The page to sign in on has styles too; the files are the same for everybody.
const openPaths = /^\/(?:health|ready|assets\/.*)$/;
const longestForm = 4096;
const safeMethods = ["GET", "HEAD", "OPTIONS"];

/** Whether a `Host` header, or a name to listen at, means this machine alone. */
export function isLoopbackHost(host: string): boolean {
  return /^(?:(?:localhost|[\w.-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?|::1)$/i.test(host);
}

/**
 * Lets through only requests that name this machine as their host: a web page whose name was made to lead here names itself.
 *
 * @param refuse - the error of a request that does not
 * @see https://en.wikipedia.org/wiki/DNS_rebinding
 */
export function onlyLoopbackHosts(refuse: (host: string) => Error = foreignHost): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header("host") ?? "";
    if (isLoopbackHost(host)) return next();
    throw refuse(host);
  };
}

function foreignHost(host: string): RowcallError {
  return new RowcallError("ORIGIN_FOREIGN", `The host "${host}" is none of this machine's own names`, {
    hint: "Use 127.0.0.1 or localhost, or start the server with --host and a certificate or a proxy.",
  });
}

/** The token of an `Authorization: Bearer …` header; undefined when it has none. */
export function readBearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
}

/** Where the token of a form begins a session. */
export const signInPath = "/sign-in";
const signOutPath = "/sign-out";
const signedOutQuery = "signed-out";

/** Whether a request is for the page that somebody is led to who has signed out. */
export function isSignedOut(c: Context): boolean {
  return c.req.method === "GET" && c.req.path === signInPath && c.req.query(signedOutQuery) !== undefined;
}

/** The code that begins a session; where rows are asked for, an address has the code of an error under the same name. */
export function signInCode({ req }: Context): string | undefined {
  const code = req.method === "GET" ? req.query("code") : undefined;
  return code !== undefined && isErrorCode(code) ? undefined : code;
}

/**
 * Lets through requests with the token, as `Authorization: Bearer`, or with a session's cookie, and says who it is: `c.get("caller")`.
 * `?code=` of the printed address begins a session once, and leads to the same page without the code.
 */
export function guardAccess(setup: AccessSetup): MiddlewareHandler<ServerEnv> {
  const { sessions } = setup;
  return async (c, next) => {
    if (openPaths.test(c.req.path)) return next();
    const bearer = readBearer(c.req.header("authorization"));
    if (bearer !== undefined) {
      if (!sessions.isToken(bearer)) throw unauthorized("The token is not the server's");
      c.set("caller", { isLetIn: async () => sessions.isToken(bearer) });
      return next();
    }
    const caller = await findSession(c, setup);
    const code = signInCode(c);
    if (code !== undefined && caller === undefined) {
      if (!sessions.takeCode(code)) throw unauthorized("The code of the address was used, or is too old");
      await beginSession(c, setup, "code");
    }
    if (code !== undefined) return withoutCode(c);
    if (c.req.path === signInPath && c.req.method === "POST") return signIn(c, setup, caller);
    if (c.req.path === signInPath && c.req.method === "GET" && caller !== undefined) return c.redirect("/", 303);
    if (caller === undefined) {
      // Whoever was signed out elsewhere, and asks for it here, is signed out.
      if (c.req.path === signOutPath && c.req.method === "POST") return signedOut(c);
      throw unauthorized("The request has no token");
    }
    if (!safeMethods.includes(c.req.method) && !isOwnPage(c)) {
      throw new RowcallError("ORIGIN_FOREIGN", "The request comes from a page of another site", {
        hint: "Use the server's own pages, under the address that `rowcall serve` prints.",
      });
    }
    c.set("caller", caller);
    if (c.req.path === signOutPath && c.req.method === "POST") {
      c.set("audited", { action: "signOut" });
      await sessions.end(caller.session);
      deleteCookie(c, cookieName(c, setup), { path: "/", secure: setup.isSecure });
      return signedOut(c);
    }
    return next();
  };
}

function signedOut(c: Context): Response {
  return c.redirect(`${signInPath}?${signedOutQuery}`, 303);
}

async function findSession(c: Context, setup: AccessSetup): Promise<(Caller & { session: string }) | undefined> {
  const { sessions } = setup;
  const value = getCookie(c, cookieName(c, setup));
  if (value === undefined) return undefined;
  const visitor = await visitorOf(c, setup);
  const isLetIn = (): Promise<boolean> => sessions.isOpen(value, visitor);
  return (await isLetIn()) ? { session: sessionId(value), isLetIn } : undefined;
}

// With https no other server can get it by way of another protocol; without it, servers at other ports have cookies of their own.
function cookieName(c: Context, { sessions, isSecure }: AccessSetup): string {
  const [, port = "80"] = /:(\d+)$/.exec(c.req.header("host") ?? "") ?? [];
  return isSecure ? `__Host-${sessions.cookie}` : `${sessions.cookie}_${port}`;
}

async function visitorOf(c: Context, { isProxied }: AccessSetup): Promise<Visitor> {
  const connection = connectionOf(c);
  const user = connection === undefined ? undefined : await userOf(connection);
  const from = isProxied || connection === undefined ? undefined : plainAddress(connection.remoteAddress ?? "");
  return { host: c.req.header("host") ?? "", user, browser: c.req.header("user-agent"), from };
}

type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

/** The connection that a request came by; undefined without a port, as in tests. */
export function connectionOf({ env }: Context): Ends | undefined {
  return ((env ?? {}) as { readonly incoming?: { readonly socket?: Ends } }).incoming?.socket;
}

// A connection stays its user's; to look for one takes a while where there are many.
const users = new WeakMap<Ends, Promise<number | undefined>>();

function userOf(connection: Ends): Promise<number | undefined> {
  const known = users.get(connection) ?? peerUser(connection);
  users.set(connection, known);
  return known;
}

// The user whose process is at the other end of a connection within this machine; undefined where that cannot be told: on other
// systems than Linux, and of other machines.
async function peerUser(connection: Ends): Promise<number | undefined> {
  const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = connection;
  const [peer, own] = [plainAddress(remoteAddress), plainAddress(localAddress)];
  if (!/^(?:127\.|::1$)/.test(peer)) return undefined;
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  return userOfEnd(tables.join("\n"), { address: peer, port: remotePort }, { address: own, port: localPort });
}

async function beginSession(c: Context<ServerEnv>, setup: AccessSetup, by: "code" | "token"): Promise<void> {
  const { sessions, isSecure } = setup;
  const visitor = await visitorOf(c, setup);
  const value = await sessions.begin(visitor);
  c.set("caller", { session: sessionId(value), isLetIn: () => sessions.isOpen(value, visitor) });
  c.set("audited", { action: "signIn", detail: { by } });
  setCookie(c, cookieName(c, setup), value, {
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

// A form rather than an address: a token in an address is kept in histories, and in the arguments of the program that opens it.
async function signIn(c: Context<ServerEnv>, setup: AccessSetup, before: Caller | undefined): Promise<Response> {
  const length = Number(c.req.header("content-length") ?? Number.NaN);
  if (!(length <= longestForm)) throw unauthorized("The form is no token");
  const token = new URLSearchParams(await c.req.text()).get("token") ?? "";
  if (!setup.sessions.isToken(token.trim())) throw unauthorized("The token is not the server's");
  if (before?.session !== undefined) await setup.sessions.end(before.session);
  await beginSession(c, setup, "token");
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

function unauthorized(message: string): RowcallError {
  return new RowcallError("TOKEN_INVALID", message, {
    hint: "Open the address that `rowcall serve` prints, or send the token of the file server-token in the data directory as `Authorization: Bearer …`.",
  });
}
