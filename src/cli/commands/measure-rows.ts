import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../core/engine.ts";
import type { EarlierRows } from "../../app/estimate.ts";
import { isFormula } from "../../table/write.ts";
import type { Cli } from "../cli.ts";

const enough = 200;

/** What rows took in the newest run of an agent; undefined when there is none. Where nothing was ever run, nothing is made. */
export async function measureEarlierRows(
  cli: Cli,
  dataDirectory: string,
  agent: string,
): Promise<EarlierRows | undefined> {
  if (!existsSync(join(dataDirectory, "journal.db"))) return undefined;
  const engine = await cli.openEngine("local");
  try {
    return await measureRows(engine, agent);
  } finally {
    await engine.close();
  }
}

/** What rows took in the newest run of an agent; undefined when there is none. */
export async function measureRows(engine: Engine, agent: string): Promise<EarlierRows | undefined> {
  const run = (await engine.list()).find((earlier) => earlier.agent === agent && earlier.counts.succeeded > 0);
  return run === undefined ? undefined : await meanOf(engine, run.id);
}

async function meanOf(engine: Engine, run: string): Promise<EarlierRows | undefined> {
  let rows = 0;
  let totalMs = 0;
  let formulas: EarlierRows["formulas"];
  for await (const { attempts } of engine.rows(run, { status: "succeeded" })) {
    if (attempts.length === 0) continue;
    rows += 1;
    totalMs += attempts.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
    const { outcome } = attempts.at(-1) ?? {};
    const output = outcome?.status === "succeeded" ? outcome.output : {};
    const field = Object.keys(output).find((name) => typeof output[name] === "string" && isFormula(output[name]));
    if (field !== undefined) formulas = { rows: (formulas?.rows ?? 0) + 1, field: formulas?.field ?? field };
    if (rows === enough) break;
  }
  if (rows === 0) return undefined;
  return { secondsPerRow: totalMs / rows / 1000, rows, ...(formulas === undefined ? {} : { formulas }) };
}
