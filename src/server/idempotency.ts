import { createHash } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { RowcallError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { joinUri } from "../core/uri.ts";
import { answersFolder } from "./kept-files.ts";

interface Remembered {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
}

/**
 * Answers a request that comes again under its `Idempotency-Key` as it was answered before, also after a restart. Only successes are
 * remembered: what failed may be tried again. A request without a key, or without a JSON body, passes as it is.
 *
 * @throws RowcallError KEY_REUSED when the key came with another request before
 */
export function rememberAnswers(store: ObjectStore, dataDirectory: string): MiddlewareHandler {
  const inFlight = new Map<string, Promise<void>>();
  return async (c, next) => {
    const key = c.req.header("idempotency-key");
    const isJson = !c.req.path.endsWith("/uploads");
    if (key === undefined || c.req.method !== "POST" || !isJson) return next();
    const uri = joinUri(dataDirectory, answersFolder, `${sha256(key)}.json`);
    const fingerprint = sha256(`${c.req.path}\n${await c.req.raw.clone().text()}`);
    // Twins wait for each other.
    while (inFlight.has(uri)) await inFlight.get(uri);
    const done = Promise.withResolvers<void>();
    inFlight.set(uri, done.promise);
    try {
      const before = await recall(store, uri);
      if (before !== undefined && before.fingerprint !== fingerprint) {
        throw new RowcallError("KEY_REUSED", `The Idempotency-Key "${key}" came with another request before`, {
          hint: "Send a new key with every new request.",
        });
      }
      if (before !== undefined) {
        return new Response(before.body, {
          status: before.status,
          headers: { "Content-Type": "application/json", "Idempotency-Replayed": "true" },
        });
      }
      await next();
      if (!c.res.ok) return undefined;
      const answer: Remembered = { fingerprint, status: c.res.status, body: await c.res.clone().text() };
      await store.write(uri, Buffer.from(JSON.stringify(answer)));
      return undefined;
    } finally {
      inFlight.delete(uri);
      done.resolve();
    }
  };
}

async function recall(store: ObjectStore, uri: string): Promise<Remembered | undefined> {
  if ((await store.stat(uri)) === undefined) return undefined;
  const value: unknown = JSON.parse(Buffer.concat(await Array.fromAsync(store.read(uri))).toString("utf8"));
  return isJsonObject(value) ? (value as unknown as Remembered) : undefined;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
