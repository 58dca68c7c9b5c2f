import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../core/engine.ts";
import { isFormula } from "../table/write.ts";
import type { EarlierRows } from "./estimate.ts";
import { openEngine, type Wiring } from "./wire.ts";

const enough = 200;
const newestRuns = 20;

/**
 * What rows took in the newest run of an agent on this machine; undefined when there is none. Where nothing was ever run, nothing is
 * made.
 *
 * @param agent - `name@version`
 */
export async function measureEarlierRows(
  { services, dataDirectory, recordingsPrefix }: Pick<Wiring, "services" | "dataDirectory" | "recordingsPrefix">,
  agent: string,
): Promise<EarlierRows | undefined> {
  if (!existsSync(join(dataDirectory, "journal.db"))) return undefined;
  const engine = await openEngine({ services, dataDirectory, recordingsPrefix });
  try {
    const runs = await engine.list({ agent, limit: newestRuns });
    const run = runs.find(({ counts }) => counts.succeeded > 0);
    return run === undefined ? undefined : await meanOf(engine, run.id);
  } finally {
    await engine.close();
  }
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
