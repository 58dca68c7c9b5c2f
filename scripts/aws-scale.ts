// Prints the table of docs/aws-scale.md: what runs of 1,000 to 100 million rows come to.
import { fileURLToPath } from "node:url";
import { costOfRun, mostRows, sizesOfRun } from "../src/engines/aws/cost.ts";
import { quotas } from "../src/engines/aws/prices.ts";

const sizes = [1000, 100_000, 1_000_000, 100_000_000];

/** The table in Markdown. */
export function scaleTable(): string {
  const line = (name: string, limit: string, tell: (rows: number) => string): string =>
    `| ${[name, ...sizes.map(tell), limit].join(" | ")} |`;
  return [
    line("", "limit", (rows) => rows.toLocaleString("en-GB")),
    "|---|---|---|---|---|---|",
    line("items of a map", quotas.mapItems.toLocaleString("en-GB"), (rows) => rows.toLocaleString("en-GB")),
    line("file that the map reads", bytes(quotas.itemsBytes), (rows) => bytes(sizesOfRun(rows).itemsBytes)),
    line("files of results", "none", (rows) => sizesOfRun(rows).resultFiles.toLocaleString("en-GB")),
    line("all rows started after", "a year", (rows) => time(sizesOfRun(rows).startSeconds)),
    line("Prepare", time(quotas.functionSeconds), (rows) => time(sizesOfRun(rows).prepareSeconds)),
    line("Finish", time(quotas.functionSeconds), (rows) => time(sizesOfRun(rows).finishSeconds)),
    line("Finish's disk", bytes(quotas.functionDiskBytes), (rows) => bytes(sizesOfRun(rows).diskBytes)),
    line("runs that it takes", "", (rows) => String(Math.ceil(rows / mostRows))),
    line("orchestration", "", (rows) => `$${costOf(rows).toLocaleString("en-GB", { maximumFractionDigits: 2 })}`),
  ].join("\n");
}

function costOf(rows: number): number {
  const runs = Math.ceil(rows / mostRows);
  return runs * costOfRun({ rows: rows / runs, concurrency: 1000, secondsPerRow: 12.5 }).orchestrationUsd;
}

function bytes(many: number): string {
  return many >= 1e9 ? `${Number((many / 1e9).toPrecision(2))} GB` : `${Number((many / 1e6).toPrecision(2))} MB`;
}

function time(seconds: number): string {
  const say = (value: number, unit: string): string => `${Number(value.toPrecision(2))} ${unit}`;
  if (seconds < 120) return say(seconds, "s");
  if (seconds < 7200) return say(seconds / 60, "min");
  return seconds < 172_800 ? say(seconds / 3600, "h") : say(seconds / 86_400, "days");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(scaleTable());
