import type { Engine } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

const pageSize = 100;

/**
 * Runs that are not in flight and with which nothing has happened since a moment.
 *
 * @param at - milliseconds since 1970, UTC
 */
export async function runsDoneBefore(engine: Engine, at: number): Promise<readonly Run[]> {
  const old: Run[] = [];
  let page: readonly Run[];
  let before: string | undefined;
  do {
    page = await engine.list({ before, limit: pageSize });
    for (const run of page) {
      if (run.status === "running" || (run.endedAt ?? run.createdAt) >= at) continue;
      if (run.endedAt !== undefined || (await lastAttempt(engine, run)) < at) old.push(run);
    }
    before = page.at(-1)?.id;
  } while (page.length === pageSize);
  return old;
}

// Of a run whose process was killed nobody noted the end; it may have been resumed long after its beginning.
async function lastAttempt(engine: Engine, { id, createdAt }: Run): Promise<number> {
  try {
    const { slices, sliceMs } = (await engine.survey(id)).timeline;
    const last = slices.at(-1);
    return last === undefined ? createdAt : last.at + sliceMs;
  } catch (error) {
    // Its deletion has begun.
    if (error instanceof RowcallError && error.code === "RUN_NOT_FOUND") return createdAt;
    throw error;
  }
}
