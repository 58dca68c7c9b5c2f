import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../core/engine.ts";
import type { Cli } from "./cli.ts";

/** What rows of an agent took before. */
export interface MeasuredRows {
  /** Mean over all attempts of a row, waits between them left out. */
  readonly secondsPerRow: number;
  /** How many rows were looked at. */
  readonly rows: number;
}

const enough = 200;

/** What rows took in the newest run of an agent; undefined when there is none. Where nothing was ever run, nothing is made. */
export async function measureEarlierRows(
  cli: Cli,
  dataDirectory: string,
  agent: string,
): Promise<MeasuredRows | undefined> {
  if (!existsSync(join(dataDirectory, "journal.db"))) return undefined;
  const engine = await cli.openEngine();
  try {
    return await measureRows(engine, agent);
  } finally {
    await engine.close();
  }
}

/** What rows took in the newest run of an agent; undefined when there is none. */
export async function measureRows(engine: Engine, agent: string): Promise<MeasuredRows | undefined> {
  const run = (await engine.list()).find((earlier) => earlier.agent === agent && earlier.counts.succeeded > 0);
  return run === undefined ? undefined : await meanOf(engine, run.id);
}

async function meanOf(engine: Engine, run: string): Promise<MeasuredRows | undefined> {
  let rows = 0;
  let totalMs = 0;
  for await (const { attempts } of engine.rows(run, { status: "succeeded" })) {
    if (attempts.length === 0) continue;
    rows += 1;
    totalMs += attempts.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
    if (rows === enough) break;
  }
  return rows === 0 ? undefined : { secondsPerRow: totalMs / rows / 1000, rows };
}
