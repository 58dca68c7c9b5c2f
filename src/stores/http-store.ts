import { lookup, type LookupOptions } from "node:dns";
import { STATUS_CODES } from "node:http";
import { Agent, fetch, RetryAgent, type Dispatcher, type Response } from "undici";
import { RowcallError, type ErrorCode } from "../core/errors.ts";
import { createHostGuard } from "../core/host-guard.ts";
import { explainNetwork } from "../core/network-errors.ts";
import type { ByteRange, ObjectInfo, ObjectStore } from "../core/object-store.ts";
import type { Clock } from "../core/services.ts";

/** What opening the web as a store takes. */
export interface HttpStoreOptions {
  /** Tells the time of what says none itself. */
  readonly clock: Clock;
  /** Whether a redirect to this address is followed. @default any is */
  readonly mayFollow?: (uri: string) => Promise<boolean>;
  /** Wait before a failed request is sent again, doubled each time. @default 500 */
  readonly retryDelayMs?: number;
}

const mostRedirects = 10;

type Send = (uri: string, method: "GET" | "HEAD", range?: string) => Promise<Response>;

/**
 * Opens the web as a store that can be read: `https:` and `http:` URIs. A broken connection goes on from the last byte.
 * Redirects are followed, but not from one host to another that is of this machine or a private network.
 *
 * Writing, deleting and listing are STORE_DENIED.
 */
export function openHttpStore({ clock, mayFollow, retryDelayMs = 500 }: HttpStoreOptions): ObjectStore {
  const dispatchers = new Map<string, Dispatcher>();
  const open = (named: string): Dispatcher => {
    const guard = createHostGuard<LookupOptions>((hostname) => hostname === named, lookup);
    const guarded = new Agent({ connect: { lookup: guard.lookup } }).compose((dispatch) => (options, handler) => {
      guard.require(new URL(options.origin ?? "").hostname);
      return dispatch(options, handler);
    });
    return new RetryAgent(guarded, { maxRetries: 3, minTimeout: retryDelayMs, throwOnError: false });
  };
  const send: Send = async (uri, method, range) => {
    // Packed on the way, ranges would count other bytes.
    const headers = { "accept-encoding": "identity", ...(range === undefined ? {} : { range }) };
    let url = parseUrl(uri);
    const dispatcher = dispatchers.get(url.hostname) ?? open(url.hostname);
    dispatchers.set(url.hostname, dispatcher);
    for (let redirects = 0; ; redirects += 1) {
      const response = await explained(uri, () => fetch(url, { method, headers, dispatcher, redirect: "manual" }));
      const location = response.headers.get("location");
      if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return response;
      await response.body?.cancel();
      url = await nextUrl(uri, url, location, redirects, mayFollow);
    }
  };
  const refuse = async (verb: string, uri: string): Promise<never> => {
    throw new RowcallError("STORE_DENIED", `Cannot ${verb} ${uri}: the web is read only`, {
      hint: "Only inputs and batch files can be https: or http: URIs.",
    });
  };
  return {
    read: (uri, range) => readUrl(send, uri, range),
    write: (uri) => refuse("write", uri),
    stat: (uri) => statUrl(send, uri, clock),
    identify: async (uri) => parseUrl(uri).href,
    // eslint-disable-next-line require-yield -- an iterable that fails
    async *list(prefix) {
      await refuse("list", prefix);
    },
    delete: (uri) => refuse("delete", uri),
    copy: (_from, to) => refuse("write", to),
  };
}

async function* readUrl(send: Send, uri: string, { start, end }: ByteRange = { start: 0 }): AsyncGenerator<Uint8Array> {
  const isWhole = start === 0 && end === undefined;
  // An empty range still asks for a byte: what is missing is an error.
  const last = end === undefined ? "" : Math.max(end - 1, start);
  const response = await send(uri, "GET", isWhole ? undefined : `bytes=${start}-${last}`);
  if (response.status === 416) {
    await response.body?.cancel();
    return;
  }
  await requireThere(uri, response);
  // A server that knows no ranges sends everything.
  let at = response.status === 206 ? start : 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      const from = Math.max(start - at, 0);
      const wanted = chunk.subarray(from, end === undefined ? undefined : Math.max(end - at, from));
      at += chunk.length;
      if (wanted.length > 0) yield wanted;
      if (end !== undefined && at >= end) return;
    }
  } catch (thrown) {
    throw unavailable(uri, thrown);
  }
}

async function statUrl(send: Send, uri: string, clock: Clock): Promise<ObjectInfo | undefined> {
  const head = await send(uri, "HEAD");
  if (isAbsent(head.status)) return undefined;
  const size = head.headers.get("content-length");
  if (head.ok && size !== null) return infoOf(uri, Number(size), head, clock);
  // Not every server answers HEAD, and a signed URL is signed for GET alone.
  const response = await send(uri, "GET", "bytes=0-0");
  await response.body?.cancel();
  if (isAbsent(response.status)) return undefined;
  const [, total] = /^bytes .*\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (total !== undefined) return infoOf(uri, Number(total), response, clock);
  await requireThere(uri, response);
  let counted = 0;
  for await (const chunk of readUrl(send, uri)) counted += chunk.length;
  return infoOf(uri, counted, response, clock);
}

function infoOf(uri: string, size: number, { headers }: Response, clock: Clock): ObjectInfo {
  const modifiedAt = Date.parse(headers.get("last-modified") ?? "");
  return { uri, size, modifiedAt: Number.isNaN(modifiedAt) ? clock() : modifiedAt };
}

function parseUrl(uri: string): URL {
  const url = URL.parse(uri);
  if (url === null || url.hostname === "")
    throw new RowcallError("USAGE_INVALID", `${uri} is no URL`, { hint: "Write https://host/path/to/rows.csv." });
  if (url.username === "" && url.password === "") return url;
  throw new RowcallError("USAGE_INVALID", `The URL of ${url.host}${url.pathname} has a name or password in it`, {
    hint: "Use a signed URL, or fetch the file first: what is in a URL stands in logs and outputs.",
  });
}

async function nextUrl(
  uri: string,
  from: URL,
  location: string,
  redirects: number,
  mayFollow: HttpStoreOptions["mayFollow"],
): Promise<URL> {
  const to = URL.parse(location, from);
  const refuse = (what: string, hint: string): RowcallError =>
    new RowcallError("STORE_DENIED", `Cannot read ${uri}: ${what}`, { hint, details: { uri } });
  if (redirects === mostRedirects)
    throw refuse(`it leads on more than ${mostRedirects} times`, "Name the address where it ends.");
  if (to === null || !/^https?:$/.test(to.protocol) || to.username !== "" || to.password !== "")
    throw refuse("it leads to what is no address of the web", "Check the URL.");
  if (mayFollow !== undefined && !(await mayFollow(to.href)))
    throw refuse("it leads out of the places that may be used", "Name the address itself, if it may be used.");
  return to;
}

async function explained<T>(uri: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw unavailable(uri, thrown);
  }
}

function unavailable(uri: string, thrown: unknown): RowcallError {
  const refused = thrown instanceof Error ? thrown.cause : undefined;
  if (refused instanceof RowcallError)
    return new RowcallError("STORE_DENIED", `Cannot read ${uri}: it leads elsewhere, and ${refused.message}`, {
      hint: "Name the address itself, if it is meant.",
      cause: thrown,
      details: { uri },
    });
  return new RowcallError("STORE_FAILED", `Cannot read ${uri}: ${explainNetwork(thrown).what}`, {
    hint: "Check the URL, the network and the server.",
    cause: thrown,
    details: { uri },
  });
}

function isAbsent(status: number): boolean {
  return status === 404 || status === 410;
}

// In the usual words for a status: what the server says itself is text that nobody here wrote.
async function requireThere(uri: string, { ok, status, body }: Response): Promise<void> {
  if (ok) return;
  // What is not read to its end would keep its connection, and the process with it.
  await body?.cancel();
  const [code, hint] = explanationOf(status);
  throw new RowcallError(
    code,
    `Cannot read ${uri}: the server answered ${[status, STATUS_CODES[status]].join(" ").trim()}`,
    {
      hint,
      details: { uri, status },
    },
  );
}

function explanationOf(status: number): readonly [ErrorCode, string] {
  if (isAbsent(status)) return ["STORE_NOT_FOUND", "Check the URL."];
  if (status >= 500 || status === 408 || status === 429) return ["STORE_FAILED", "Try again later."];
  return ["STORE_DENIED", "Check the URL and who may read it; a signed URL may have expired."];
}
