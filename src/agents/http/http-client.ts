import { Agent, fetch, type Response } from "undici";
import { RowcallError, messageOf } from "../../core/errors.ts";
import type { HttpReply, Shown } from "./http-reply.ts";
import type { HttpRequest } from "./http-request.ts";

/** Sends requests over connections that it keeps. */
export interface HttpClient {
  /**
   * @throws RowcallError HTTP_UNAVAILABLE when no whole reply came, OUTPUT_INVALID when it is too large; the signal's reason
   * when it is aborted
   */
  send(request: HttpRequest, url: URL, shown: Shown, signal: AbortSignal): Promise<HttpReply>;
  /** Ends all connections. */
  close(): Promise<void>;
}

const maxReplyBytes = 10 * 1024 * 1024;

const networkErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "the connection took too long",
  UND_ERR_CONNECT_TIMEOUT: "the connection took too long",
  ENOTFOUND: "the host's name is not known",
  EAI_AGAIN: "the host's name could not be looked up",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is self-signed",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate cannot be verified",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};

/**
 * Opens a client. It has no time limits of its own after a connection stands, and follows no redirects: a redirect to
 * another host would take headers with secrets along.
 *
 * @param concurrency - connections to one host, at most
 */
export function openHttpClient(concurrency: number): HttpClient {
  const dispatcher = new Agent({ connections: concurrency, headersTimeout: 0, bodyTimeout: 0 });
  return {
    send: async ({ method, headers, body }, url, shown, signal) => {
      const content = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
      try {
        const response = await fetch(url, {
          method,
          headers,
          ...(content === undefined ? {} : { body: content }),
          signal,
          redirect: "manual",
          dispatcher,
        });
        return await readResponse(response, shown);
      } catch (thrown) {
        signal.throwIfAborted();
        throw thrown instanceof RowcallError ? thrown : unavailable(thrown, shown);
      }
    },
    close: async () => {
      if (!dispatcher.destroyed) await dispatcher.destroy();
    },
  };
}

async function readResponse(response: Response, shown: Shown): Promise<HttpReply> {
  const retryAfter = response.headers.get("retry-after");
  const location = response.headers.get("location");
  return {
    status: response.status,
    statusText: response.statusText,
    ...(retryAfter === null ? {} : { retryAfter }),
    ...(location === null ? {} : { location }),
    text: await readText(response, shown),
  };
}

async function readText(response: Response, shown: Shown): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > maxReplyBytes) {
      throw new RowcallError(
        "OUTPUT_INVALID",
        `${shown.call} answered with more than ${maxReplyBytes / 1024 / 1024} MiB`,
        {
          hint: "An answer is one row: have the service send less.",
        },
      );
    }
    chunks.push(chunk as Uint8Array);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function unavailable(thrown: unknown, shown: Shown): RowcallError {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  const known = code === undefined ? undefined : networkErrors[code];
  const words = known === undefined ? messageOf(cause) : `${known} (${code})`;
  return new RowcallError("HTTP_UNAVAILABLE", `${shown.call} could not be reached: ${shown.mask(words)}`, {
    hint: "Check that the service is running and that the agent's url is right.",
    cause: thrown,
    details: code === undefined ? {} : { systemCode: code },
  });
}
