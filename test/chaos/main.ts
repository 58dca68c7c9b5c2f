import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { isFaultless, runChaos } from "./chaos.ts";
import { kinds } from "./kinds.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string" },
    only: { type: "string", multiple: true },
  },
});
const known = [...Object.keys(kinds), "browser"];
const only = values.only ?? known;
const unknown = only.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no kind ${unknown.join(", ")}. There are: ${known.join(", ")}.`);
  process.exit(2);
}
const seed = Number(values.seed ?? Date.now() % 1_000_000);
console.log(`Seed ${seed}`);

const summaries = await runChaos({
  kills: Number(values.kills),
  seed,
  only: only.filter((name) => name !== "browser"),
  onScene: (kind, kills) => process.stderr.write(`${kind}: ${kills} kills\n`),
});
const table = new Table({
  head: [
    "kind",
    "kills",
    "rows",
    "lost",
    "doubled",
    "disordered",
    "called again",
    "surplus median",
    "most",
    "over bound",
    "faults",
  ],
  style: { head: [], border: [] },
});
for (const one of summaries) {
  const { kind, kills, rows, lost, doubled, disordered, again, surplusMedian, surplusMost, overBound, faults } = one;
  table.push([
    kind,
    kills,
    rows,
    lost,
    doubled,
    disordered,
    again,
    surplusMedian,
    surplusMost,
    overBound,
    faults.length,
  ]);
}
if (summaries.length > 0) console.log(table.toString());
for (const { kind, faults } of summaries) for (const fault of faults) console.log(`${kind}: ${fault}`);
if (!summaries.every(isFaultless)) process.exitCode = 1;

// Kills of a browser's processes are a program of their own.
const browserKills = fileURLToPath(new URL("browser-kills.ts", import.meta.url));
if (only.includes("browser") && existsSync(browserKills)) {
  const args = [browserKills, "--seed", String(seed), "--kills", values.kills];
  const [code] = (await once(spawn(process.execPath, args, { stdio: "inherit" }), "close")) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
