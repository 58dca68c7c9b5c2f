import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../core/services.ts";

/** Where uploads are in the data directory, each in a folder of its own. */
export const uploadsFolder = "uploads";

/** Where answers to requests that may be repeated are in it, each a file. */
export const answersFolder = "answers";
const sweepEveryMs = 3_600_000;

/**
 * Removes uploads, and answers to requests that may be repeated, that have not changed since a time. A run needs its upload only until
 * it has begun: it has a copy. What cannot be removed stays.
 *
 * @param before - milliseconds since 1970
 */
export async function removeOld(dataDirectory: string, before: number): Promise<void> {
  for (const folder of [uploadsFolder, answersFolder]) {
    const root = join(dataDirectory, folder);
    for (const name of await readdir(root).catch(() => [])) {
      const path = join(root, name);
      const inside = await readdir(path).catch(() => []);
      const times = await Promise.all(
        [path, ...inside.map((file) => join(path, file))].map(
          async (each) => (await stat(each).catch(() => undefined))?.mtimeMs,
        ),
      );
      const isOld = times.every((time) => time === undefined || time < before);
      if (isOld) await rm(path, { recursive: true, force: true }).catch(() => {});
    }
  }
}

/** Removes what is older than that now and every hour, until it is told to end. */
export function keepRemoving(dataDirectory: string, clock: Clock, keepMs: number): { end(): Promise<void> } {
  let last = removeOld(dataDirectory, clock() - keepMs);
  const timer = setInterval(() => {
    last = last.then(() => removeOld(dataDirectory, clock() - keepMs));
  }, sweepEveryMs);
  timer.unref();
  return {
    end: async () => {
      clearInterval(timer);
      await last;
    },
  };
}
