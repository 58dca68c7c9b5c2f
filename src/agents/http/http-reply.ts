import { RowcallError } from "../../core/errors.ts";
import { parseJson, type JsonValue } from "../../core/json.ts";
import { parseRetryAfter } from "../../core/network-errors.ts";
import { takeOutput } from "../../core/take-output.ts";
import { excerpt } from "../excerpt.ts";
import type { HttpConfig } from "./http-config.ts";

/** The reply of a service. */
export interface HttpReply {
  readonly status: number;
  readonly statusText: string;
  readonly retryAfter?: string;
  readonly location?: string;
  readonly text: string;
}

/** The way a call is shown to people. */
export interface Shown {
  /** Method and URL without secrets. */
  readonly call: string;
  /** Takes secrets out of what the service said. */
  mask(text: string): string;
}

/**
 * Makes an agent's reply of a service's.
 *
 * @param now - milliseconds since 1970, for a Retry-After that is a date
 * @throws RowcallError HTTP_UNAVAILABLE (429, 5xx; `details.retryAfterMs` where the service named a wait), HTTP_STATUS,
 * OUTPUT_INVALID
 */
export function readReply(config: HttpConfig, reply: HttpReply, shown: Shown, now: number): JsonValue {
  if (!isSuccess(config, reply.status)) throw statusError(reply, shown, now);
  return takeOutput(config.output, parseBody(reply, shown), shown.call);
}

function isSuccess({ success_status: listed }: HttpConfig, status: number): boolean {
  return listed === undefined ? status >= 200 && status < 300 : listed.includes(status);
}

function statusError(reply: HttpReply, shown: Shown, now: number): RowcallError {
  const { status, statusText, location } = reply;
  const said = excerpt(shown.mask(reply.text));
  const message = `${shown.call} answered ${`${status} ${statusText}`.trim()}${said === "" ? "" : `: ${said}`}`;
  if (status === 429 || status >= 500) {
    const retryAfterMs = parseRetryAfter(reply.retryAfter, now);
    return new RowcallError("HTTP_UNAVAILABLE", message, {
      hint:
        status === 429
          ? "Lower max_concurrency, or set a rate_limit."
          : "Retries may help; else ask the service's owner.",
      details: { status, retryAfterMs },
    });
  }
  return new RowcallError("HTTP_STATUS", message, {
    hint: hintFor(status, location && shown.mask(location)),
    details: { status },
  });
}

function hintFor(status: number, location: string | undefined): string {
  if (status >= 300 && status < 400)
    return `Redirects are not followed: set the agent's url to ${location ?? "where it leads"}.`;
  if (status === 401 || status === 403) return "Check the agent's secrets and headers.";
  return "Check the agent's url, or list the status in success_status if its body is an answer.";
}

function parseBody({ text }: HttpReply, shown: Shown): JsonValue {
  try {
    return parseJson(text);
  } catch {
    // The parser's own error quotes the body, which may repeat a secret.
    const what = text.trim() === "" ? "an empty body" : `a body that is not JSON: ${excerpt(shown.mask(text))}`;
    throw new RowcallError("OUTPUT_INVALID", `${shown.call} answered with ${what}`, {
      hint: "The service must answer with JSON.",
    });
  }
}
