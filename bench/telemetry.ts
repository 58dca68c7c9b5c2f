// The whole way of a row with an agent that does nothing, with and without telemetry to a collector on this machine.
// Usage: node bench/telemetry.ts [--rows 100000] [--rounds 5]
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseBatch } from "../src/core/batch-file.ts";
import { openEngine, wire } from "../src/app/wire.ts";
import { median } from "./measure.ts";
import { publishFunction } from "./publish.ts";

const { values } = parseArgs({
  options: { rows: { type: "string", default: "100000" }, rounds: { type: "string", default: "5" } },
});
const [rows, rounds] = [Number(values.rows), Number(values.rounds)];
const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));
const registry = join(scratch, "registry");
await publishFunction(registry, "noop", ["success"]);
const input = join(scratch, "in.csv");
await writeFile(input, `n\n${Array.from({ length: rows }, (_, n) => `${n}\n`).join("")}`);

const collector = createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
});
collector.listen(0, "127.0.0.1");
await once(collector, "listening");
const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;

const environments: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "no telemetry": {},
  "metrics alone": { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: "none" },
  "one row in a hundred traced": { OTEL_EXPORTER_OTLP_ENDPOINT, ROWCALL_TRACE_ROWS: "0.01" },
  "every row traced": { OTEL_EXPORTER_OTLP_ENDPOINT },
  "nobody at the endpoint": { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
};
const ways = Object.entries(environments).map(([name, env]) => ({ name, env, seconds: [] as number[], untraced: 0 }));

/** Seconds from the start of the run to its end; sending what is left is not part of it. */
async function measure(env: Readonly<Record<string, string>>): Promise<{ seconds: number; untraced: number }> {
  const dataDirectory = await mkdtemp(join(scratch, "data-"));
  const engine = await openEngine(wire({ env, registries: [registry], dataDirectory }));
  const batch = parseBatch(
    {
      agent_name: "noop",
      input,
      output: join(dataDirectory, "out.csv"),
      execution_config: { max_concurrency: 100 },
      recording: { level: "none" },
    },
    "batch",
  );
  let untraced = 0;
  try {
    const startedAt = performance.now();
    const { counts } = await engine.start(
      { batch },
      {
        onEvent: (event) => {
          if (event.type !== "warning") return;
          untraced += Number(/keep up: (\d+)/.exec(event.message)?.[1] ?? 0);
        },
      },
    );
    if (counts.succeeded !== rows) throw new Error(`${counts.failed} rows failed`);
    return { seconds: (performance.now() - startedAt) / 1000, untraced };
  } finally {
    await engine.close();
    await rm(dataDirectory, { recursive: true });
  }
}

// In turns, so that a busy moment of the machine falls on all; the first round warms up.
for (let round = -1; round < rounds; round += 1) {
  for (const way of ways) {
    const { seconds, untraced } = await measure(way.env);
    if (round < 0) continue;
    way.seconds.push(seconds);
    way.untraced = Math.max(way.untraced, untraced);
  }
}
const base = ways[0]?.seconds ?? [];
console.log(`${rows} rows${["rows/s", "time", "not traced"].map((name) => name.padStart(14)).join("")}`);
for (const { name, seconds, untraced } of ways) {
  const ratio = median(seconds.map((one, round) => one / (base[round] ?? Number.NaN)));
  const cells = [(rows / median(seconds)).toFixed(0), ratio.toFixed(2), `${((untraced / rows) * 100).toFixed(0)} %`];
  console.log(name.padEnd(28) + cells.map((cell) => cell.padStart(14)).join(""));
}
collector.close();
await rm(scratch, { recursive: true });
