import { costParts, type CostPart, type RunCost } from "../../engines/aws/cost.ts";
import type { AwsPlan } from "../../app/aws-plan.ts";
import { prices } from "../../engines/aws/prices.ts";
import { describeEstimate, describeSeconds } from "../../app/estimate.ts";
import { colorsFor } from "../cli.ts";
import type { Io, Output } from "../io.ts";
import { count, printLines, printTable } from "./output.ts";

/** Prints what runs cost and take on AWS, a column for each; parts that cost none of them anything are left out. */
export async function printAwsCosts(io: Io, costs: readonly RunCost[]): Promise<void> {
  const line = (name: string, tell: (cost: RunCost) => string): readonly string[] => [name, ...costs.map(tell)];
  const parts = (Object.keys(costParts) as CostPart[]).filter((part) => costs.some(({ usd }) => usd[part] > 0));
  const isAgent = (part: CostPart): boolean => costParts[part].startsWith("Agent");
  const partLine = (part: CostPart): readonly string[] => line(costParts[part], ({ usd }) => dollars(usd[part]));
  await printTable(
    io,
    io.stdout,
    ["Rows", ...costs.map(({ rows }) => rows.toLocaleString("en-GB"))],
    [
      line("Concurrency", ({ reachedConcurrency }) => String(reachedConcurrency)),
      line("Est. Duration", ({ seconds }) => describeSeconds(seconds)),
      line("Transitions", ({ transitions }) => Math.round(transitions).toLocaleString("en-GB")),
      ...parts.filter((part) => !isAgent(part)).map(partLine),
      line("Orchestration", ({ orchestrationUsd }) => dollars(orchestrationUsd)),
      ...parts.filter(isAgent).map(partLine),
      line("Agent", ({ agentUsd }) => dollars(agentUsd)),
      line("Total", ({ totalUsd }) => dollars(totalUsd)),
      line("Total for 1,000 rows", ({ totalUsd, rows }) => (rows === 0 ? "-" : dollars((totalUsd / rows) * 1000))),
    ],
  );
}

/** Prints what a planned batch takes on AWS. */
export async function printAwsEstimate(io: Io, { estimate, aws }: AwsPlan): Promise<void> {
  const { bold } = colorsFor(io, io.stdout);
  const { cost, region } = aws;
  if (cost === undefined) {
    const why = estimate.secondsPerRow === undefined ? estimate.basis : "there is no agent that could run there";
    await printLines(io.stdout, [`${bold("On AWS")}  unknown: ${why}`]);
    return;
  }
  const { rows, reachedConcurrency, seconds, totalUsd } = cost;
  await printLines(io.stdout, [
    `${bold("On AWS")}  ${count(rows, "row")} at a concurrency of ${reachedConcurrency} in ${region}: ${describeEstimate({ seconds, costUsd: totalUsd })}`,
    "",
  ]);
  await printAwsCosts(io, [cost]);
  await printPriceBasis(io.stdout, estimate.basis);
}

/** Prints where prices are from, and what is not in them. */
export async function printPriceBasis(output: Output, figures: string): Promise<void> {
  const { region, date } = prices.valid;
  await printLines(output, [
    `Estimate assumes ${figures} and no retries; prices of ${region} as of ${date}, without free tiers, storage and workers' machines.`,
  ]);
}

function dollars(usd: number): string {
  if (usd === 0) return "-";
  if (usd < 0.0001) return "<$0.0001";
  return usd < 1
    ? `$${usd.toFixed(4)}`
    : `$${usd.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}
