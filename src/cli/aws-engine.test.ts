import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createTestIo, type TestIo } from "../../test/fakes/io.ts";
import { openAwsHarness, startAwsPlace, type AwsHarness, type AwsPlace } from "../../test/fakes/aws-engine-harness.ts";
import { callTool, openTestMcp } from "../../test/fakes/mcp-client.ts";
import { runCli } from "./run-cli.ts";

describe("--engine aws", () => {
  let place: AwsPlace;
  let harness: AwsHarness;
  const gate = { isShut: false, entered: Promise.withResolvers<void>() };
  before(async () => {
    place = await startAwsPlace();
    harness = await openAwsHarness(place, async ({ a }, { signal }) => {
      if (gate.isShut && a === "2") {
        gate.entered.resolve();
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
        });
      }
      return { structured_output: { field: `<${String(a)}>`, extra: 1 } };
    });
    await harness.writeInput("a\n1\n2\n");
  });
  after(async () => {
    await harness.close();
    await place.close();
  });

  const ioOf = (env: Readonly<Record<string, string>> = {}): TestIo =>
    createTestIo({
      env: { ...harness.env, ROWCALL_ENGINE: "aws", ROWCALL_REGISTRY: "dynamodb:AgentRegistry-prod", ...env },
      workingDirectory: harness.directory,
    });
  const batch = (output: string): string =>
    JSON.stringify({ agent_name: "echo", input: "input.csv", output, output_mapping: { add_metadata: false } });

  it("runs a batch, and its table is on standard output", async () => {
    const io = ioOf();
    assert.equal(await runCli(["run", batch("-"), "--name", "first", "--no-progress"], io), 0, io.err());
    assert.equal(io.out(), "a,field,extra\n1,<1>,1\n2,<2>,1\n");
    assert.match(io.err(), /2 rows: 2 succeeded, 0 failed/);
  });

  it("an interrupt ends the watching alone, and says how to go on; stop ends the run", async () => {
    gate.isShut = true;
    const io = ioOf();
    const running = runCli(["run", batch("out.csv"), "--name", "second"], io);
    await gate.entered.promise;
    io.interrupt();
    assert.equal(await running, 130);
    assert.match(io.err(), /SIGINT: the run continues on AWS, without being watched\./);
    assert.match(io.err(), /Run \S+ continues on AWS/);
    assert.match(io.err(), /Watch it\s+rowcall resume \d{8}-\S+/);
    assert.equal(io.out(), "");

    const shown = ioOf();
    assert.equal(await runCli(["show", "second", "--json"], shown), 0, shown.err());
    assert.equal((JSON.parse(shown.out()) as { status: string }).status, "running");

    while ((await harness.engine.describe("second")).counts.succeeded < 1)
      await new Promise((resolve) => setImmediate(resolve));
    const stopping = ioOf();
    assert.equal(await runCli(["stop", "second"], stopping), 0);
    assert.match(stopping.err(), /was stopped at once: rows in flight were cut off/);
    const exported = ioOf();
    assert.equal(await runCli(["export", "second"], exported), 0, exported.err());
    assert.equal(exported.out(), "a,field,extra\n1,<1>,1\n2,,\n");
  });

  it("lists runs and their rows", async () => {
    const listed = ioOf();
    assert.equal(await runCli(["runs", "--json"], listed), 0, listed.err());
    const runs = JSON.parse(listed.out()) as { readonly name: string; readonly status: string }[];
    assert.deepEqual(
      runs.map(({ name, status }) => [name, status]),
      [
        ["second", "stopped"],
        ["first", "succeeded"],
      ],
    );
    const rows = ioOf();
    assert.equal(await runCli(["rows", "first", "--status", "succeeded"], rows), 0, rows.err());
    assert.match(rows.out(), /"field":"<2>"/);
  });

  it("says what it lacks, and where that is to be had", async () => {
    const io = ioOf({ ROWCALL_STATE_MACHINE_ARN: "" });
    assert.equal(await runCli(["runs"], io), 2);
    assert.match(io.err(), /does not know which state machine runs batches/);
    assert.match(io.err(), /--state-machine-arn or ROWCALL_STATE_MACHINE_ARN; the deployment's output RunBatches/);
    const other = ioOf({ ROWCALL_ENGINE: "azure" });
    assert.equal(await runCli(["runs"], other), 2);
    assert.match(other.err(), /ROWCALL_ENGINE is "azure"/);
    const dispatch = ioOf();
    assert.equal(await runCli(["run", batch("-"), "--dispatch", "activity"], dispatch), 2);
  });

  it("an assistant's batch is planned for AWS, where it will run", async () => {
    const mcp = await openTestMcp({ folder: harness.directory }, [], [], ioOf().env);
    try {
      const client = await mcp.connect();
      const plan = await callTool(client, "plan_batch", {
        batch: {
          agent: "echo",
          input: "input.csv",
          output: "planned.csv",
          execution_config: { rate_limit: { requests_per_second: 2 } },
        },
      });
      const problems = plan.content["problems"] as readonly { readonly check: string; readonly status: string }[];
      assert.equal(plan.content["runnable"], false, plan.text);
      assert.deepEqual(
        problems.filter(({ status }) => status === "failed").map(({ check }) => check),
        ["aws_rate_limit"],
      );
    } finally {
      await mcp.close();
    }
  });

  it("doctor looks at the batch processor", async () => {
    const io = ioOf();
    await runCli(["doctor", "--json"], io);
    type Check = { readonly id: string; readonly status: string; readonly detail: string };
    const checkOf = (text: string): Check | undefined =>
      (JSON.parse(text) as { readonly checks: Check[] }).checks.find(({ id }) => id === "batch_processor");
    assert.equal(checkOf(io.out())?.status, "passed", io.out());
    const lost = ioOf({ ROWCALL_RUNS_URI: "s3://nobody/runs/" });
    assert.equal(await runCli(["doctor", "--json"], lost), 2);
    assert.equal(checkOf(lost.out())?.status, "failed");
  });
});
