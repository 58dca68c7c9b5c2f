import { parseBatch } from "../src/core/batch-file.ts";
import { openEngine, wire } from "../src/app/wire.ts";

/**
 * Milliseconds of a run in this process, from its first attempt's start to its last one's end.
 *
 * @param data - data directory
 * @param rows - how many rows must succeed
 * @param batch - as in a batch file, without the output
 */
export async function measureRun(registry: string, data: string, rows: number, batch: object): Promise<number> {
  const engine = await openEngine(wire({ registries: [registry], dataDirectory: data }));
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  try {
    const { counts } = await engine.start(
      { batch: parseBatch({ ...batch, output: `${data}/out/` }, "batch") },
      {
        onEvent: (event) => {
          if (event.type !== "attempt") return;
          first = Math.min(first, event.attempt.startedAt);
          last = Math.max(last, event.attempt.endedAt);
        },
      },
    );
    if (counts.succeeded !== rows) throw new Error(`${counts.failed} rows failed`);
  } finally {
    await engine.close();
  }
  return last - first;
}
