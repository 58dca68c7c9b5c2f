// What a row reads right after an action, for every way in which a page can lead to another one: a table of right, wrong and failed
// rows. Exits with 1 when a row is wrong or failed.
// Usage: node bench/navigation.ts [--rows 1000] [--first 0] [--concurrency 8] [--delay 400] [--kind "POST form"]
import { parseArgs } from "node:util";
import { runNavigationRows, type NavigationTally } from "../test/fakes/navigation-rows.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000" },
    first: { type: "string", default: "0" },
    concurrency: { type: "string", default: "8" },
    delay: { type: "string", default: "400" },
    kind: { type: "string", multiple: true },
  },
});
const total: NavigationTally = { right: 0, wrong: 0, failed: 0, ms: 0, example: "" };
const tallies = await runNavigationRows({
  rows: Number(values.rows),
  first: Number(values.first),
  concurrency: Number(values.concurrency),
  longestDelayMs: Number(values.delay),
  kinds: values.kind,
});
printLine("kind", "rows", "right", "wrong", "failed", "ms per row");
for (const [kind, tally] of tallies) {
  printTally(kind, tally);
  for (const key of ["right", "wrong", "failed", "ms"] as const) total[key] += tally[key];
}
printTally("all", total);
process.exitCode = total.wrong + total.failed > 0 ? 1 : 0;

function printTally(kind: string, { right, wrong, failed, ms, example }: NavigationTally): void {
  const rows = right + wrong + failed;
  printLine(kind, ...[rows, right, wrong, failed].map(String), rows === 0 ? "" : (ms / rows).toFixed(0));
  if (example !== "") console.log(`    ${example.slice(0, 240)}`);
}

function printLine(name: string, ...cells: readonly string[]): void {
  console.log(name.padEnd(40) + cells.map((cell) => cell.padStart(11)).join(""));
}
