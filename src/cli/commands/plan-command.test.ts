import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, it } from "node:test";
import type { AwsPlan } from "../../app/aws-plan.ts";
import type { RunCost } from "../../engines/aws/cost.ts";
import type { Plan } from "../../app/plan.ts";
import type { Estimate } from "../../app/estimate.ts";
import { createTestIo } from "../../../test/fakes/io.ts";
import { startLambda, testCredentials } from "../../../test/fakes/lambda-service.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

let workspace: Workspace;
let env: Readonly<Record<string, string>> = {};
async function rowcall(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = createTestIo({ env, workingDirectory: workspace.folder });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

const planOf = async (...args: string[]): Promise<Plan> =>
  JSON.parse((await rowcall("plan", ...args, "--json")).out) as Plan;

describe("rowcall plan", () => {
  useWorkspace(6, (made) => (workspace = made));

  it("shows checks, mapped inputs and the estimate of a batch that can run, and runs and makes nothing", async () => {
    let calls = 0;
    workspace.onRow = () => (calls += 1);
    const before = await readdir(workspace.folder);
    const { code, out, err } = await rowcall(
      "plan",
      "batch.json",
      "--seconds-per-row",
      "12",
      "--cost-per-row",
      "0.001",
    );
    assert.deepEqual([code, err, calls], [0, "", 0]);
    assert.match(out, /^✓ Agent has structured_output\.enabled = true in registry: It is true for doubler@1\.0\.0$/m);
    assert.match(out, /^- Local browser agent is running\n {4}An agent of kind function needs none$/m);
    assert.match(out, /^0 +2 +\{"n":"0","text":"row, 0"\}$/m);
    assert.match(out, /^Output columns {2}n, text, double, _status, _timestamp, _execution_time_ms, _error_message$/m);
    assert.match(out, /^Estimate {2}6 rows at a concurrency of 2: ~40 seconds, \$0\.006$/m);
    assert.match(out, /The batch can run: /);
    assert.deepEqual(await readdir(workspace.folder), before);
  });

  it("ends with 2 and lists mistakes of the file beside those of agent, columns and output", async () => {
    await workspace.write("out.csv", "old");
    await workspace.write("batch.json", {
      agent: "dobler",
      input: "rows.csv",
      output: "out.csv",
      input_mapping: { column_mappings: { m: "n" } },
      output_mapping: { structured_output_fields: ["text"] },
      execution_config: { max_concurency: 2 },
    });
    const { code, out } = await rowcall("plan", "batch.json");
    assert.equal(code, 2);
    for (const line of [
      'execution_config.max_concurency: unknown key "max_concurency"',
      'hint: Did you mean "max_concurrency"?',
      'There is no agent "dobler" in the registry',
      'input_mapping.column_mappings: column "m" is not in the input',
      "exists already",
      'Output column "text" has the name of a column of the input',
      "The batch cannot run",
    ]) {
      assert.ok(out.includes(line), `${line}\n\n${out}`);
    }
  });

  it("prints the plan as one JSON object, overrides and chosen rows applied", async () => {
    const plan = await planOf(
      "batch.json",
      "--rows",
      "1,4-5",
      "--max-concurrency",
      "3",
      "--output",
      "results/",
      "--sample",
      "1",
    );
    assert.deepEqual([plan.runnable, plan.rows, plan.estimate.concurrency], [true, 3, 3]);
    assert.deepEqual(plan.sample, [{ row: 1, line: 3, input: { n: "1", text: "row, 1" } }]);
  });

  it("probes the first row when asked to", async () => {
    const plan = await planOf("batch.json", "--probe");
    const check = plan.checks.find(({ id }) => id === "structured_output_returned");
    assert.equal(check?.status, "passed");
  });

  it("reckons with what rows took in an earlier run", async () => {
    await rowcall("run", "batch.json", "--quiet");
    const { estimate } = await planOf("batch.json", "--force");
    assert.match(estimate.basis, /\(the mean of 5 earlier rows\)/);
  });

  it("says that an earlier run brought cells that a spreadsheet would run, until the batch makes them safe", async () => {
    await workspace.write(
      "agent.mjs",
      "export default ({ n }) => ({ structured_output: { double: n < 2 ? '=1+' + n : -n } });",
    );
    await rowcall("run", "batch.json");
    const { out } = await rowcall("plan", "batch.json", "--output", "new.csv");
    assert.match(
      out,
      /In 2 of 6 earlier rows the agent gave a text that a spreadsheet would run as a formula, first in "double"/,
    );
    assert.match(out, /Set output_mapping\.formula_safe/);
    const batch = JSON.parse(await workspace.read("batch.json")) as object;
    await workspace.write("safe.json", { ...batch, output: "new.csv", output_mapping: { formula_safe: true } });
    assert.doesNotMatch((await rowcall("plan", "safe.json")).out, /spreadsheet/);
  });

  it("asks for a batch, and for a batch that is an object", async () => {
    assert.match((await rowcall("plan")).err, /There is no batch to plan\nhint: Name a batch file, or ask for --table/);
    await workspace.write("list.json", "[]");
    assert.deepEqual((await rowcall("plan", "list.json")).code, 2);
  });
});

describe("rowcall plan --table", () => {
  it("names what is no number of rows", async () => {
    const { code, err } = await rowcall("plan", "--table", "500,5k");
    assert.deepEqual([code, err], [2, 'error: "5k" is not a number of rows\nhint: Write --table 500,5000.\n']);
  });

  useWorkspace(6, (made) => (workspace = made));

  it("prints the throughput table of the broadband agent", async () => {
    const { code, out } = await rowcall("plan", "--table");
    assert.equal(code, 0);
    assert.deepEqual(
      out
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
      [
        ["Rows", "Concurrency", "Est. Duration", "Cost Estimate"],
        ["10", "10", "~15 seconds", "$0.01"],
        ["100", "10", "~2 minutes", "$0.10"],
        ["1000", "10", "~20 minutes", "$1.00"],
      ],
    );
  });

  it("takes other rows and figures", async () => {
    const { out } = await rowcall(
      "plan",
      "--table",
      "40,4",
      "--max-concurrency",
      "4",
      "--seconds-per-row",
      "3",
      "--cost-per-row",
      "0",
      "--json",
    );
    const estimates = JSON.parse(out) as Estimate[];
    assert.deepEqual(
      estimates.map(({ rows, seconds, costUsd }) => [rows, seconds, costUsd]),
      [
        [40, 30, 0],
        [4, 3, 0],
      ],
    );
  });

  it("refuses a batch beside it, and rows that are no numbers", async () => {
    assert.equal((await rowcall("plan", "batch.json", "--table")).code, 2);
    assert.equal((await rowcall("plan", "--table", "many")).code, 2);
  });
});

describe("rowcall plan --engine aws", () => {
  useWorkspace(6, (made) => (workspace = made));

  it("says that a function agent cannot run there, and ends with 2", async () => {
    const { code, out } = await rowcall("plan", "batch.json", "--engine", "aws", "--seconds-per-row", "12");
    assert.equal(code, 2);
    assert.match(out, /^✗ On AWS: agent can be called by Step Functions\n {4}Agents of kind "function" cannot run/m);
    assert.match(out, /^On AWS {2}unknown: there is no agent that could run there$/m);
  });

  it("shows what a batch costs by part, and prints it as JSON", async (context) => {
    const lambda = await startLambda(() => ({ payload: {} }));
    const { accessKeyId, secretAccessKey } = testCredentials;
    env = {
      AWS_ENDPOINT_URL_LAMBDA: lambda.aws.endpoints.LAMBDA ?? "",
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
    context.after(() => {
      env = {};
      return lambda.close();
    });
    await workspace.write("registry/agents/remote_v1.0.0.json", {
      agent_name: "remote",
      version: "1.0.0",
      kind: "lambda",
      config: { function: "remote" },
      structured_output: { enabled: true, output_fields: ["double"] },
    });
    await workspace.write("aws.json", { agent: "remote", input: "rows.csv", output: "out.csv" });
    const args = ["plan", "aws.json", "--engine", "aws", "--region", "eu-central-1", "--cost-per-row", "0.5"];
    const { code, out } = await rowcall(...args, "--seconds-per-row", "2");
    assert.deepEqual([code, lambda.invocations.length], [0, 0]);
    assert.match(out, /^On AWS {2}6 rows at a concurrency of 10 in eu-central-1: ~10 seconds, \$3\.00$/m);
    assert.match(out, /^Step Functions: rows +\$0\.0003$/m);
    assert.match(out, /^Agent: its own price +\$3\.00$/m);
    assert.match(out, /^Estimate assumes 2 s per row .* prices of eu-west-1/m);
    const { aws } = JSON.parse((await rowcall(...args, "--seconds-per-row", "2", "--json")).out) as AwsPlan;
    assert.deepEqual([aws.region, aws.cost?.rows, aws.cost?.usd.service], ["eu-central-1", 6, 3]);
    assert.match((await rowcall(...args)).out, /^On AWS {2}unknown: seconds per row is not known/m);
  });

  it("prints the table for other rows, concurrency and host", async () => {
    const { code, out } = await rowcall(
      ...["plan", "--table", "500,5000", "--engine", "aws", "--browser-host", "lambda"],
      ...["--max-concurrency", "20", "--json"],
    );
    assert.equal(code, 0);
    const costs = JSON.parse(out) as RunCost[];
    assert.deepEqual(
      costs.map(({ rows, concurrency, transitions }) => [rows, concurrency, transitions]),
      [
        [500, 20, 2008],
        [5000, 20, 20_008],
      ],
    );
    assert.ok(costs.every(({ usd }) => usd.browser > usd.rows));
  });
});
