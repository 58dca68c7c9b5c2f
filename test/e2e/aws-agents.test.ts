import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCli } from "../../src/cli/run-cli.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { createTestIo } from "../fakes/io.ts";
import { startLambda } from "../fakes/lambda-service.ts";
import { startStepFunctions, testStateMachine } from "../fakes/stepfunctions-service.ts";
import { useWorkspace, type Workspace } from "../fakes/workspace.ts";

let workspace: Workspace;

async function rowcall(endpoint: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = {
    AWS_ACCESS_KEY_ID: "AKIDTEST",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_REGION: "eu-west-1",
    AWS_ENDPOINT_URL: endpoint,
  };
  const io = createTestIo({ env, workingDirectory: workspace.folder });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

async function writeAgent(kind: string, config: JsonObject): Promise<void> {
  await workspace.write("registry/agents/cloud_v1.0.0.json", {
    agent_name: "cloud",
    version: "1.0.0",
    kind,
    config,
    structured_output: { enabled: true, output_fields: ["double"] },
  });
}

async function writeBatch(more: JsonObject): Promise<void> {
  await workspace.write("batch.json", {
    agent: "cloud",
    input: "rows.csv",
    output: "out.csv",
    output_mapping: { add_metadata: false },
    execution_config: { max_concurrency: 3, retry_strategy: { max_attempts: 0 } },
    ...more,
  });
}

const doubled = (input: JsonValue): JsonObject => ({ double: Number((input as JsonObject)["n"]) * 2 });
const expected = 'n,text,double\n0,"row, 0",0\n1,"row, 1",2\n2,"row, 2",4\n';

describe("agents on AWS, run as a user runs them", () => {
  useWorkspace(3, (made) => (workspace = made));

  it("a function that was there before", async (t) => {
    const service = await startLambda(({ payload }) => ({ payload: doubled(payload) }));
    t.after(service.close);
    await writeAgent("lambda", { function: "double", output: "body" });
    await writeBatch({});
    assert.equal((await rowcall(service.origin, "plan", "batch.json")).code, 0);
    assert.equal(service.invocations.length, 0);
    const { code, err } = await rowcall(service.origin, "run", "batch.json");
    assert.equal(code, 0, err);
    assert.equal(await workspace.read("out.csv"), expected);
  });

  it("the state machine that the batch names", async (t) => {
    const service = await startStepFunctions({
      run: (input) => ({ status: "SUCCEEDED", output: JSON.stringify({ structured_output: doubled(input) }) }),
    });
    t.after(service.close);
    await writeAgent("stepfunctions", {});
    await writeBatch({});
    const { code, out } = await rowcall(service.origin, "plan", "batch.json");
    assert.equal(code, 2);
    assert.match(out, /Agent cloud names no state machine, and the batch names none either/);
    await writeBatch({ agent_state_machine_arn: testStateMachine });
    const run = await rowcall(service.origin, "run", "batch.json");
    assert.equal(run.code, 0, run.err);
    assert.equal(await workspace.read("out.csv"), expected);
    assert.equal((await rowcall(service.origin, "try", "batch.json")).code, 0);
    assert.equal((await rowcall(service.origin, "try", "batch.json")).code, 0);
    // A try is never answered with what an earlier one gave.
    assert.equal(service.executions.size, 5);
  });
});
