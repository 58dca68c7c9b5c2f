import type { LookupOptions } from "node:dns";
import { Agent, fetch, type Response } from "undici";
import { RowcallError } from "../../core/errors.ts";
import { explainNetwork } from "../../core/network-errors.ts";
import type { HostGuard } from "../../core/host-guard.ts";
import type { HttpReply, Shown } from "./http-reply.ts";
import type { HttpRequest } from "./http-request.ts";

/** Sends requests over connections that it keeps. */
export interface HttpClient {
  /**
   * @throws RowcallError HTTP_UNAVAILABLE when no whole reply came, HOST_BLOCKED, OUTPUT_INVALID when it is too large; the signal's reason
   * when it is aborted
   */
  send(request: HttpRequest, url: URL, shown: Shown, signal: AbortSignal): Promise<HttpReply>;
  /** Allows so many connections to one host; requests in flight keep those that they have. */
  widen(concurrency: number): void;
  /** Ends all connections. */
  close(): Promise<void>;
}

const maxReplyBytes = 10 * 1024 * 1024;

/**
 * Opens a client. It has no time limits of its own after a connection stands, and follows no redirects: a redirect to
 * another host would take headers with secrets along.
 *
 * @param concurrency - connections to one host, at most
 * @param guard - asked before each connection
 */
export function openHttpClient(concurrency: number, guard: HostGuard<LookupOptions>): HttpClient {
  const connect = { lookup: guard.lookup };
  const open = (connections: number): Agent => new Agent({ connections, connect, headersTimeout: 0, bodyTimeout: 0 });
  let dispatcher = open(concurrency);
  const dispatchers = [dispatcher];
  return {
    send: async ({ method, headers, body }, url, shown, signal) => {
      const content = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
      try {
        guard.require(url.hostname);
        const response = await fetch(url, {
          method,
          headers,
          body: content,
          signal,
          redirect: "manual",
          dispatcher,
        });
        return await readResponse(response, shown);
      } catch (thrown) {
        signal.throwIfAborted();
        throw (
          [thrown, thrown instanceof Error ? thrown.cause : undefined].find((one) => one instanceof RowcallError) ??
          unavailable(thrown, shown)
        );
      }
    },
    widen: (connections) => void dispatchers.push((dispatcher = open(connections))),
    close: async () => {
      await Promise.all(dispatchers.filter(({ destroyed }) => !destroyed).map((each) => each.destroy()));
    },
  };
}

async function readResponse(response: Response, shown: Shown): Promise<HttpReply> {
  const { status, statusText, headers } = response;
  return {
    status,
    statusText,
    retryAfter: headers.get("retry-after") ?? undefined,
    location: headers.get("location") ?? undefined,
    text: await readText(response, shown),
  };
}

async function readText(response: Response, shown: Shown): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > maxReplyBytes) {
      const message = `${shown.call} answered with more than ${maxReplyBytes / 1024 / 1024} MiB`;
      throw new RowcallError("OUTPUT_INVALID", message, { hint: "An answer is one row: have the service send less." });
    }
    chunks.push(chunk as Uint8Array);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function unavailable(thrown: unknown, shown: Shown): RowcallError {
  const { what, code } = explainNetwork(thrown);
  return new RowcallError("HTTP_UNAVAILABLE", `${shown.call} could not be reached: ${shown.mask(what)}`, {
    hint: "Check that the service is running and that the agent's url is right.",
    cause: thrown,
    details: { systemCode: code },
  });
}
