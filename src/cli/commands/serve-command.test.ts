import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import type { EndpointKeys } from "../../server/stepfunctions/signature.ts";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

describe("rowcall serve", () => {
  let workspace: Workspace;
  useWorkspace(3, (made) => (workspace = made));
  const createIo = (env: Record<string, string> = {}): TestIo =>
    createTestIo({ workingDirectory: workspace.folder, env });

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await wait(5);
  }

  /** Asks the endpoint with keys that it printed. */
  const connect = (endpoint: string, region: string, credentials: EndpointKeys): SFNClient =>
    new SFNClient({ endpoint, region, credentials, maxAttempts: 1 });

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
    const { url, region, stateMachines, ...keys } = JSON.parse(io.out()) as EndpointKeys & {
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
    const client = connect(url, region, keys);
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, name: "x", input }));
    client.destroy();
    await entered.promise;
    io.interrupt();
    await until(() => io.err().includes("Press Ctrl-C again to exit now"));
    io.interrupt();
    assert.deepEqual(io.exits, [130]);
    gate.resolve();
    assert.equal(await serving, 0);

    const next = createIo();
    const again = runCli(["serve", "--aws-endpoint", "--port", "0", "--stage", "dev", "--region", "eu-west-2"], next);
    await until(() => next.out().includes("--input"));
    const [, address = ""] = /Step Functions endpoint: (\S+)/.exec(next.out()) ?? [];
    assert.ok(next.out().includes(`export AWS_ENDPOINT_URL_SFN=${address} AWS_REGION=eu-west-2`));
    assert.ok(
      next.out().includes(`export AWS_ACCESS_KEY_ID=${keys.accessKeyId} AWS_SECRET_ACCESS_KEY=${keys.secretAccessKey}`),
    );
    assert.match(
      next.out(),
      /aws stepfunctions start-execution --endpoint-url http:\/\/127\.0\.0\.1:\d+ --region eu-west-2/,
    );
    const later = connect(address, region, keys);
    let status: unknown = "RUNNING";
    for (; status === "RUNNING"; await wait(5))
      ({ status } = await later.send(new DescribeExecutionCommand({ executionArn })));
    later.destroy();
    assert.equal(status, "SUCCEEDED");
    assert.equal((await workspace.read("out.csv")).split("\n").length, 5);
    next.interrupt();
    assert.equal(await again, 0);
  });

  it("prints an address that lets in, and the same token with the next start", async () => {
    const tokens: string[] = [];
    for (const args of [["--json"], ["--open"], ["--json"]]) {
      const io = createIo();
      const serving = runCli(["serve", "--port", "0", ...args], io);
      await until(() => io.out().endsWith("\n"));
      if (args.includes("--json")) {
        const { url, token } = JSON.parse(io.out()) as { url: string; token: string };
        tokens.push(token);
        const answer = await fetch(`${url}/api/v1/runs`, { headers: { authorization: `Bearer ${token}` } });
        assert.deepEqual([answer.status, await answer.json()], [200, { runs: [] }]);
      } else {
        assert.ok(!io.out().includes(tokens[0] ?? ""), "the token is in no address");
        const begun = await fetch(io.out().trim(), { redirect: "manual" });
        assert.equal(begun.status, 303);
        assert.equal((await fetch(io.out().trim(), { redirect: "manual" })).status, 401);
      }
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
    assert.match(await refused(["--port", "0", "--tls-cert", "a.pem", "--tls-key", "b.pem"]), /cannot be read/);
    assert.match(await refused(["--port", "0", "--behind-proxy", "http://x"]), /not the https address/);
    const listen = ["--aws-endpoint", "--port", "0"];
    const proxied = ["--port", "0", "--host", "0.0.0.0", "--behind-proxy", "https://rows.example"];
    assert.match(await refused(proxied), /could go around the proxy.*--proxy-address/s);
    assert.match(await refused([...proxied, "--proxy-address", "proxy.example"]), /not an IP address or network/);
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

  it("refuses a certificate that cannot be used, also at the endpoint, rather than speak http", async () => {
    await workspace.write("bad.pem", "no certificate");
    const tls = ["--port", "0", "--tls-cert", "bad.pem", "--tls-key", "bad.pem"];
    for (const args of [tls, ["--aws-endpoint", ...tls]]) {
      const io = createIo();
      assert.equal(await runCli(["serve", ...args], io), 2, args.join(" "));
      assert.match(io.err(), /The certificate or its key cannot be used/);
    }
  });
});
