// The same benchmarks in two checkouts, by turns in one run, figure by figure: has a change made something slower?
// Usage: node bench/compare.ts <other checkout> [--rounds 3] [benchmark [arguments] ...]
//        (default: "way-of-a-row 10000 100000" makespan "browser-flow --long 24" "pages --large 100000")
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "./measure.ts";

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "3" } },
  allowPositionals: true,
});
const [other, ...chosen] = positionals;
if (other === undefined) throw new Error("Name the folder of the other checkout, with its packages installed");
const benchmarks =
  chosen.length > 0
    ? chosen
    : ["way-of-a-row 10000 100000", "makespan", "browser-flow --long 24", "pages --large 100000"];
const before = resolve(other);
const after = fileURLToPath(new URL("..", import.meta.url));
const figure = /-?\d+(?:\.\d+)?/g;

/** What a benchmark of a checkout prints, line by line. */
async function linesOf(checkout: string, benchmark: string): Promise<readonly string[]> {
  const [name, ...args] = benchmark.split(" ");
  const child = spawn(process.execPath, [resolve(checkout, `bench/${name}.ts`), ...args], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  const [printed, [code]] = await Promise.all([text(child.stdout), ended]);
  if (code !== 0) throw new Error(`${benchmark} in ${checkout} ended with ${code}`);
  return printed.trimEnd().split("\n");
}

/** The middle of each figure of one line over all rounds. */
function middles(rounds: readonly (readonly string[])[], line: number): readonly number[] {
  const figures = rounds.map((lines) => (lines[line] ?? "").match(figure)?.map(Number) ?? []);
  return (figures[0] ?? []).map((_, place) => median(figures.map((of) => of[place] ?? Number.NaN)));
}

for (const benchmark of benchmarks) {
  const rounds: Record<"before" | "after", (readonly string[])[]> = { before: [], after: [] };
  for (let round = 0; round < Number(values.rounds); round += 1) {
    // Each goes first as often as the other.
    for (const side of round % 2 === 0 ? (["before", "after"] as const) : (["after", "before"] as const)) {
      rounds[side].push(await linesOf(side === "before" ? before : after, benchmark));
    }
  }
  console.log(`\n${benchmark}`);
  const lines = rounds.after[0] ?? [];
  for (const [index, line] of lines.entries()) {
    const [old, now] = [middles(rounds.before, index), middles(rounds.after, index)];
    console.log(line);
    if (now.length === 0) continue;
    const ratios = now.map((value, place) => {
      const was = old[place] ?? Number.NaN;
      return value === was ? "1.00" : (value / was).toFixed(2);
    });
    console.log(`  after / before: ${ratios.join("  ")}`);
  }
}
