import { STATUS_CODES } from "node:http";
import { Agent, fetch, type Response } from "undici";
import { RowcallError } from "../core/errors.ts";
import type { Mask } from "../core/mask.ts";
import { explainNetwork, parseRetryAfter } from "../core/network-errors.ts";
import { retryDelayMs, type RetryPolicy } from "../core/retry.ts";
import type { Timing } from "./channel-options.ts";
import { withTimeLimit } from "./time-limit.ts";

/** JSON to be posted. */
export interface Post {
  readonly url: URL;
  /** Headers besides the content's own, for a try that begins now: milliseconds since 1970. */
  headersAt(now: number): Readonly<Record<string, string>>;
  readonly body: string;
  /** What the receiver is called in messages. */
  readonly shown: string;
  /** Takes out what no message may hold. */
  readonly mask: Mask;
  /** What to do about a status that is no success. */
  hintFor(status: number): string;
}

const tryMs = 10_000;
const allTriesMs = 60_000;
const longestWaitMs = 30_000;
const policy: RetryPolicy = {
  maxAttempts: 4,
  intervalSeconds: 1,
  backoffRate: 2,
  maxDelaySeconds: 8,
  jitterStrategy: "FULL",
  doNotRetryOn: [],
};
const excerptLength = 200;

/**
 * Posts JSON until it is taken: a failed connection, a try without an answer within 10 seconds, 408, 429 and 5xx are tried again,
 * up to 5 times in all and not later than a minute after the first. A `Retry-After` up to 30 seconds is kept to. Redirects are not
 * followed.
 *
 * @throws RowcallError CHANNEL_FAILED
 */
export async function postJson(post: Post, timing: Timing): Promise<void> {
  const { monotonic, random, wait } = timing;
  const deadline = monotonic() + allTriesMs;
  const dispatcher = new Agent();
  try {
    for (let tries = 1; ; tries += 1) {
      const failure = await tryOnce(post, timing, dispatcher);
      if (failure === undefined) return;
      const asked = Math.min(failure.retryAfterMs ?? 0, longestWaitMs);
      const waitMs = Math.max(retryDelayMs(policy, tries, random), asked);
      if (!failure.transient || tries > policy.maxAttempts || monotonic() + waitMs > deadline)
        throw failed(post, failure, tries);
      await wait(waitMs);
    }
  } finally {
    await dispatcher.destroy();
  }
}

interface Failure {
  /** Follows the receiver's name. */
  readonly what: string;
  readonly hint: string;
  readonly transient: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

async function tryOnce(post: Post, timing: Timing, dispatcher: Agent): Promise<Failure | undefined> {
  return withTimeLimit(timing, tryMs, async (signal) => {
    try {
      const response = await fetch(post.url, {
        method: "POST",
        headers: { ...post.headersAt(timing.clock()), "content-type": "application/json", "user-agent": "rowcall" },
        body: post.body,
        redirect: "manual",
        signal,
        dispatcher,
      });
      return response.ok ? undefined : await refusal(post, response, timing.clock());
    } catch (cause) {
      const what = signal.aborted
        ? `gave no answer within ${tryMs / 1000} seconds`
        : `could not be reached: ${post.mask.text(explainNetwork(cause).what)}`;
      return { what, hint: "Check the address, and that it can be reached from here.", transient: true, cause };
    }
  });
}

async function refusal(post: Post, response: Response, now: number): Promise<Failure> {
  const { status } = response;
  const location = response.headers.get("location");
  const said = post.mask
    .text(await beginningOf(response))
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, excerptLength);
  return {
    what: `answered ${[status, STATUS_CODES[status]].join(" ").trim()}${said === "" ? "" : `: ${said}`}`,
    hint:
      status >= 300 && status < 400
        ? `Redirects are not followed: use the address where it leads${location === null ? "" : `, ${post.mask.text(location)}`}.`
        : post.hintFor(status),
    transient: status === 408 || status === 429 || status >= 500,
    retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), now),
  };
}

async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
    // Enough for a message; leaving the loop ends the connection.
    if (size > 4096) break;
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function failed({ shown }: Post, { what, hint, cause }: Failure, tries: number): RowcallError {
  return new RowcallError(
    "CHANNEL_FAILED",
    `${shown} ${what}${tries === 1 ? "" : `, also at the last of ${tries} tries`}`,
    {
      hint,
      cause,
    },
  );
}
