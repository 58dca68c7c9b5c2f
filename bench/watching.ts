// What watching costs: a run of no-op rows in the server's process, alone and under the eyes of two watchers, in turns.
// Usage: node bench/watching.ts [rows]    (default 100000)
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startServer } from "../src/server/start-server.ts";
import { createRowcallClient } from "../src/server/client.ts";
import { wire } from "../src/app/wire.ts";
import { median } from "./measure.ts";
import { publishFunction } from "./publish.ts";

const rows = Number(process.argv[2] ?? 100_000);
const turns = 12;
const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));
const registry = join(scratch, "registry");
await publishFunction(registry, "noop", ["success", "exchange"]);
const input = join(scratch, "in.csv");
await writeFile(input, `n,street\n${Array.from({ length: rows }, (_, n) => `${n},High Street\n`).join("")}`);
const wiring = wire({ workingDirectory: scratch, dataDirectory: join(scratch, "data"), registries: [registry] });
const server = await startServer({ wiring, host: "127.0.0.1", port: 0 });
const client = createRowcallClient({ url: server.address });
const batch = { agent: "noop", input, execution_config: { max_concurrency: 100 }, recording: { level: "none" } };

/** Rows a second of one run, and the events that each watcher got. */
async function measure(watchers: number): Promise<{ readonly rate: number; readonly events: number }> {
  const watching = await Promise.all(Array.from({ length: watchers }, openWatcher));
  const { run } = await client.startRun({ batch });
  for (;;) {
    const { run: now } = await client.getRun(run.id);
    if (now.endedAt !== undefined && now.status === "succeeded") {
      const events = await Promise.all(watching.map((leave) => leave()));
      return { rate: rows / ((now.endedAt - now.createdAt) / 1000), events: events[0] ?? 0 };
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** A watcher in a process of its own; what is returned lets it leave, and tells how many events it got. */
async function openWatcher(): Promise<() => Promise<number>> {
  const script = fileURLToPath(new URL("./watcher.ts", import.meta.url));
  const child = spawn(process.execPath, [script, server.address], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async () => {
    child.stdin.end();
    return Number((await lines.next()).value);
  };
}

await measure(0);
const alone: number[] = [];
const watched: number[] = [];
const events: number[] = [];
const ways = [
  async (): Promise<void> => void alone.push((await measure(0)).rate),
  async (): Promise<void> => {
    const seen = await measure(2);
    watched.push(seen.rate);
    events.push(seen.events);
  },
];
// In turns, each first as often as the other, so that what a run leaves behind and a busy moment of the machine fall on both.
for (let turn = 0; turn < turns; turn += 1) {
  for (const measureWay of turn % 2 === 0 ? ways : ways.toReversed()) await measureWay();
}
const [a, w] = [median(alone), median(watched)];
console.log(["", "rows/s", "events each"].map((name) => name.padStart(14)).join(""));
console.log(["alone", a.toFixed(0), ""].map((cell) => cell.padStart(14)).join(""));
console.log(["two watchers", w.toFixed(0), median(events).toFixed(0)].map((cell) => cell.padStart(14)).join(""));
const falls = alone.map((rate, turn) => (1 - (watched[turn] ?? 0) / rate) * 100);
console.log(`the rate falls by ${median(falls).toFixed(1)} %`);
await server.close();
await rm(scratch, { recursive: true });
