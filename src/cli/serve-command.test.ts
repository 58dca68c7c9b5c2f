import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createTestIo, type TestIo } from "../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { runCli } from "./run-cli.ts";

describe("rowcall serve", () => {
  let workspace: Workspace;
  useWorkspace(3, (made) => (workspace = made));
  const createIo = (env: Record<string, string> = {}): TestIo =>
    createTestIo({ workingDirectory: workspace.folder, env });

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await wait(5);
  }

  async function call(url: string, operation: string, body: object): Promise<Record<string, unknown>> {
    const headers = { "x-amz-target": `AWSStepFunctions.${operation}` };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  }

  it("answers until it is interrupted, lets rows in flight finish, and goes on with the next start", async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    workspace.onRow = async () => {
      entered.resolve();
      await gate.promise;
    };
    const io = createIo({ AWS_REGION: "eu-west-2" });
    const serving = runCli(["serve", "--aws-endpoint", "--port", "0", "--stage", "dev", "--json"], io);
    await until(() => io.out().endsWith("\n"));
    const { url, region, stateMachines } = JSON.parse(io.out()) as {
      url: string;
      region: string;
      stateMachines: readonly string[];
    };
    assert.equal(region, "eu-west-2");
    const [stateMachineArn] = stateMachines;
    assert.equal(stateMachineArn, "arn:aws:states:eu-west-2:123456789012:stateMachine:batch-processor-dev");
    const input = JSON.stringify({
      target: "doubler",
      csv_s3_uri: "rows.csv",
      output: "out.csv",
      execution_config: { max_concurrency: 1 },
    });
    const { executionArn } = await call(url, "StartExecution", { stateMachineArn, name: "x", input });
    await entered.promise;
    io.interrupt();
    await until(() => io.err().includes("Once more ends at once"));
    io.interrupt();
    assert.deepEqual(io.exits, [130]);
    gate.resolve();
    assert.equal(await serving, 0);

    const next = createIo();
    const again = runCli(["serve", "--aws-endpoint", "--port", "0", "--stage", "dev", "--region", "eu-west-2"], next);
    await until(() => next.out().includes("--input"));
    const [, address = ""] = /Step Functions endpoint: (\S+)/.exec(next.out()) ?? [];
    assert.match(
      next.out(),
      /aws stepfunctions start-execution --endpoint-url http:\/\/127\.0\.0\.1:\d+ --region eu-west-2/,
    );
    let status: unknown = "RUNNING";
    for (; status === "RUNNING"; await wait(5))
      ({ status } = await call(address, "DescribeExecution", { executionArn }));
    assert.equal(status, "SUCCEEDED");
    assert.equal((await workspace.read("out.csv")).split("\n").length, 5);
    next.interrupt();
    assert.equal(await again, 0);
  });

  it("prints an address that lets in, and the same token with the next start", async () => {
    const tokens: string[] = [];
    for (const args of [["--json"], ["--open"]]) {
      const io = createIo();
      const serving = runCli(["serve", "--port", "0", ...args], io);
      await until(() => io.out().endsWith("\n"));
      const { url, token } = args.includes("--json")
        ? (JSON.parse(io.out()) as { url: string; token: string })
        : { url: new URL(io.out()).origin, token: new URL(io.out().trim()).searchParams.get("token") ?? "" };
      tokens.push(token);
      const answer = await fetch(`${url}/api/v1/runs`, { headers: { authorization: `Bearer ${token}` } });
      assert.deepEqual([answer.status, await answer.json()], [200, { runs: [] }]);
      io.interrupt();
      assert.equal(await serving, 0);
    }
    assert.equal(tokens[0], tokens[1]);
    assert.equal((await stat(workspace.at(".rowcall", "server-token"))).mode & 0o777, 0o600);
  });

  it("says what is missing", async () => {
    const refused = async (args: readonly string[], env: Record<string, string> = {}): Promise<string> => {
      const io = createIo(env);
      assert.equal(await runCli(["serve", ...args], io), 2);
      return io.err();
    };
    assert.match(await refused(["--port", "0", "--host", "0.0.0.0"]), /Give --tls-cert and --tls-key/);
    assert.match(await refused(["--port", "0", "--tls-cert", "a.pem"]), /Give both/);
    assert.match(await refused(["--port", "0", "--tls-cert", "a.pem", "--tls-key", "b.pem"]), /cannot be read/);
    assert.match(await refused(["--port", "0", "--behind-proxy", "http://x"]), /not the https address/);
    const listen = ["--aws-endpoint", "--port", "0"];
    assert.match(await refused([...listen, "--host", "0.0.0.0"]), /ROWCALL_ENDPOINT_ACCESS_KEY_ID/);
    assert.match(await refused(listen, { ROWCALL_ENDPOINT_ACCESS_KEY_ID: "a" }), /Only one of the endpoint's two keys/);
    assert.match(await refused(["--aws-endpoint", "--port", "65536"]), /0 to 65535/);
    assert.match(await refused(["--aws-endpoint", "--account-id", "12"]), /twelve digits/);
    assert.match(
      await refused([...listen, "--host", "host.invalid"], {
        ROWCALL_ENDPOINT_ACCESS_KEY_ID: "a",
        ROWCALL_ENDPOINT_SECRET_ACCESS_KEY: "b",
      }),
      /Port 0 of host\.invalid cannot be used/,
    );
  });
});
