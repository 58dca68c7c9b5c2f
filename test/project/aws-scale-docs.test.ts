import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { scaleTable } from "../../scripts/aws-scale.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { costOfRun, mostRows } from "../../src/engines/aws/cost.ts";
import { createTestIo } from "../fakes/io.ts";

const page = await readFile(new URL("../../docs/aws-scale.md", import.meta.url), "utf8");

test("the tables in docs/aws-scale.md are what the commands above them print", async () => {
  const shown = [...page.matchAll(/^```\n\$ rowcall (.+)\n([^`]+)```/gm)];
  assert.equal(shown.length, 2);
  for (const [, command = "", output] of shown) {
    const io = createTestIo();
    assert.equal(await runCli(command.split(" "), io), 0);
    assert.equal(output, io.out());
  }
  assert.ok(page.includes(`\n${scaleTable()}\n`), scaleTable());
});

test("docs/aws-scale.md has the figures of the comparison, and the largest run", () => {
  const figures = { rows: 1000, concurrency: 100, secondsPerRow: 12.5 };
  const fleet = costOfRun(figures);
  const lambda = costOfRun({ ...figures, browserHost: "lambda" });
  const around = fleet.transitions - 2 * fleet.rows;
  for (const line of [
    `| transitions around the agent | 5,007 | ${thousands(around)} |`,
    `| orchestration | $0.128, with larger functions $0.15 | $${fleet.orchestrationUsd.toFixed(3)} |`,
    `| $1.00 as documented | $${fleet.totalUsd.toFixed(2)} with workers, $${lambda.totalUsd.toFixed(2)} with a function |`,
    `A run therefore takes ${thousands(mostRows)} rows at most`,
    `[[0, ${mostRows - 1}]]`,
  ])
    assert.ok(page.includes(line), line);
});

function thousands(many: number): string {
  return many.toLocaleString("en-GB");
}
