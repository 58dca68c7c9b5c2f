import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { marshall } from "@aws-sdk/util-dynamodb";
import { aTemplate, anAgent, registryContract } from "../../test/contracts/registry-contract.ts";
import { useTestDynamodb, type TestDynamodb } from "../../test/fakes/registry-tables.ts";
import type { AwsSettings } from "../aws/aws.ts";
import type { RowcallError } from "../core/errors.ts";
import type { Registry } from "../core/registry.ts";
import { openStores } from "../stores/open-store.ts";
import { dynamodbConnector, openTable } from "./dynamodb-place.ts";
import { openRegistry, type RegistryOptions } from "./open-registry.ts";

let dynamodb: TestDynamodb;

function open(registries: readonly string[], options: Partial<RegistryOptions> = {}): Registry {
  return openRegistry({ store: openStores({ baseDirectory: "/" }), aws: dynamodb.aws, registries, ...options });
}

describe("a registry of DynamoDB tables", () => {
  useTestDynamodb((started) => (dynamodb = started));

  registryContract("registry of DynamoDB tables", async () => ({
    registry: open(await dynamodb.createRegistries()),
    close: async () => {},
  }));

  /** Puts items into a table as something else than Rowcall writes them. */
  async function put(registry: string, ...items: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    for (const item of items) {
      await dynamodb.client.putItem({ TableName: registry.slice("dynamodb:".length), Item: marshall(item) });
    }
  }

  test("writes maps and lists, under the keys of the table", async () => {
    const [agents] = await dynamodb.createRegistries();
    await open([agents]).agents.publish(anAgent({ config: { module: "./a.ts", list: [1, "", null] } }));
    const { Items } = await dynamodb.client.scan({ TableName: agents.slice("dynamodb:".length) });
    assert.deepEqual(Items?.[0]?.["config"], {
      M: { module: { S: "./a.ts" }, list: { L: [{ N: "1" }, { S: "" }, { NULL: true }] } },
    });
    assert.deepEqual(Items?.[0]?.["agent_name"], { S: "lookup" });
  });

  test("reads an agent of a state machine as others registered it, with JSON text and what is not known left out", async () => {
    const [agents] = await dynamodb.createRegistries();
    const fields = ["success", "exchange", "cabinet", "downstream_mbps", "metadata"];
    await put(agents, {
      agent_name: "broadband-availability-bt-wholesale-prod",
      version: "v1.0",
      status: "active",
      description: "Broadband availability of an address",
      structured_output: JSON.stringify({
        enabled: true,
        schemas: { broadband_availability_bt_wholesale: { schema: { type: "object" } } },
        output_fields: fields,
      }),
      input_schema: JSON.stringify({ type: "object", required: ["postcode"] }),
      supports_batch_processing: true,
      system_prompt: "You are an assistant",
      llm_provider: "anthropic",
      tools: JSON.stringify([{ tool_name: "browser_remote" }]),
      parameters: null,
      metadata: { schema_driven: true },
      created_at: "2025-10-18T05:30:00Z",
    });
    const { agents: catalog } = open([agents]);
    const agent = await catalog.resolve({ name: "broadband-availability-bt-wholesale-prod" });
    assert.deepEqual(agent, {
      agent_name: "broadband-availability-bt-wholesale-prod",
      version: "1.0.0",
      status: "active",
      aliases: [],
      description: "Broadband availability of an address",
      kind: "stepfunctions",
      config: {},
      input_schema: { type: "object", required: ["postcode"] },
      structured_output: { enabled: true, output_fields: fields },
      supports_batch_processing: true,
    });
    await catalog.setStatus({ name: agent.agent_name, version: "1.0.0" }, "deprecated");
    assert.deepEqual(await catalog.list(), [{ ...agent, status: "deprecated" }]);
    await assert.rejects(catalog.publish(agent), { code: "VERSION_EXISTS" });
  });

  test("where a table has 1.0 and 1.0.0, the latter is 1.0.0", async () => {
    const [agents] = await dynamodb.createRegistries();
    const item = { agent_name: "lookup", structured_output: { enabled: true } };
    await put(
      agents,
      { ...item, version: "1.0", description: "short" },
      { ...item, version: "1.0.0", description: "full" },
    );
    const { agents: catalog } = open([agents]);
    assert.equal((await catalog.resolve({ name: "lookup" })).description, "full");
    assert.deepEqual(
      (await catalog.list()).map(({ description }) => description),
      ["full"],
    );
  });

  test("writes a status into no item that was deleted since it was found", async () => {
    const TableName = await dynamodb.createTable("agent_name", "version");
    const table = openTable(TableName, dynamodbConnector(dynamodb.aws));
    assert.equal(await table.setStatus({ name: "lookup", version: "1.0.0" }, "archived"), false);
    assert.deepEqual(await table.scan(), []);
  });

  test("reads sets as lists, numbers as numbers, absent status as active and absent output as none", async () => {
    const [agents] = await dynamodb.createRegistries();
    await put(
      agents,
      {
        agent_name: "lookup",
        version: "1.0.0",
        kind: "http",
        aliases: new Set(["a"]),
        config: JSON.stringify({ url: "http://x/" }),
        structured_output: { enabled: true, output_fields: new Set(["speed"]), schema: '{"type":"object"}' },
        estimate: { seconds_per_row: 1.5 },
      },
      { agent_name: "chat", version: "2" },
    );
    const { agents: catalog } = open([agents]);
    const agent = await catalog.resolve({ name: "a" });
    assert.deepEqual(agent.config, { url: "http://x/" });
    assert.equal(agent.status, "active");
    assert.deepEqual(agent.structured_output, { enabled: true, output_fields: ["speed"], schema: { type: "object" } });
    assert.equal(agent.estimate?.seconds_per_row, 1.5);
    assert.equal((await catalog.resolve({ name: "chat", version: "2.0.0" })).structured_output.enabled, false);
  });

  test("reads a template's steps from JSON text and leaves its other texts as they are", async () => {
    const [, templates] = await dynamodb.createRegistries();
    await put(templates, {
      template_id: "form",
      version: "1.0.0",
      description: "[draft] of a form",
      starting_page: "{{checker_url}}",
      steps: JSON.stringify([{ goto: "/" }]),
      variables: { postcode: {} },
    });
    const template = await open([templates]).templates.resolve({ name: "form" });
    assert.deepEqual(template["steps"], [{ goto: "/" }]);
    assert.equal(template["description"], "[draft] of a form");
    assert.equal(template["starting_page"], "{{checker_url}}");
  });

  test("a broken item fails only what resolves to it; list tells of it and of odd versions", async () => {
    const [agents] = await dynamodb.createRegistries();
    await open([agents]).agents.publish(anAgent());
    await put(
      agents,
      { agent_name: "broken", version: "1.0.0", structured_output: { enabled: true } },
      { agent_name: "broken", version: "1.1.0", structured_output: "{ not json" },
      { agent_name: "odd", version: "latest" },
    );
    const problems: RowcallError[] = [];
    const { agents: catalog } = open([agents], { onProblem: (problem) => void problems.push(problem) });
    assert.equal((await catalog.resolve({ name: "broken", version: "1.0.0" })).kind, "stepfunctions");
    await assert.rejects(catalog.resolve({ name: "broken" }), {
      code: "AGENT_INVALID",
      message: new RegExp(`^The agent broken@1\\.1\\.0 in ${agents} is not valid: structured_output: `),
    });
    assert.deepEqual(
      (await catalog.list()).map(({ agent_name: name, version }) => `${name} ${version}`),
      ["broken 1.0.0", "lookup 1.0.0"],
    );
    assert.deepEqual(
      problems.map(({ message }) => /odd .*"latest"|broken@1\.1\.0/.exec(message) !== null),
      [true, true],
    );
    await assert.rejects(open([agents]).agents.list(), { code: "AGENT_INVALID" });
  });

  test("reads tables of more than one page", async () => {
    const [agents] = await dynamodb.createRegistries();
    const description = "x".repeat(300_000);
    const { agents: catalog } = open([agents]);
    for (let minor = 0; minor < 8; minor += 1) await catalog.publish(anAgent({ version: `1.${minor}.0`, description }));
    assert.equal((await catalog.list()).length, 8);
    assert.equal((await catalog.resolve({ name: "lookup" })).version, "1.7.0");
  });

  test("says that a document is too large before anything is sent", async () => {
    const [agents] = await dynamodb.createRegistries();
    const { agents: catalog } = open([agents]);
    const large = (length: number): Promise<string> =>
      catalog.publish(anAgent({ config: { text: "é".repeat(length / 2), list: [1, null, [true]] } }));
    await assert.rejects(large(420_000), {
      code: "AGENT_INVALID",
      message: `The agent lookup@1.0.0 takes 411 KB, and ${agents} cannot hold more than 400 KB of one`,
      hint: /s3:\/\//,
    });
    assert.deepEqual(await catalog.list(), []);
    await large(400_000);
    assert.equal((await catalog.list()).length, 1);
  });

  test("says what of a document DynamoDB cannot keep", async () => {
    const [agents] = await dynamodb.createRegistries();
    await assert.rejects(open([agents]).agents.publish(anAgent({ config: { number: 1e300 } })), {
      code: "AGENT_INVALID",
      message: new RegExp(`^The agent lookup@1\\.0\\.0 cannot be kept in ${agents}: Number overflow`),
    });
  });

  test("names a table that is not there, and finds it once it is", async () => {
    const registry = open(["dynamodb:Nowhere-prod"]);
    const missing = {
      code: "AWS_DENIED",
      message: "Cannot look at the DynamoDB table Nowhere-prod: there is none",
      hint: /--region.*docs\/registry\.md/,
    };
    await assert.rejects(registry.agents.resolve({ name: "lookup" }), missing);
    await assert.rejects(registry.templates.list(), missing);
    await assert.rejects(registry.agents.publish(anAgent()), missing);
    await dynamodb.client.createTable({
      TableName: "Nowhere-prod",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "agent_name", AttributeType: "S" },
        { AttributeName: "version", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "agent_name", KeyType: "HASH" },
        { AttributeName: "version", KeyType: "RANGE" },
      ],
    });
    assert.deepEqual(await registry.agents.list(), []);
  });

  test("says what is wrong with the key of a table that is no registry", async () => {
    for (const keys of [["id"], ["agent_name"], ["agent_name", "sort"], ["name", "version"]]) {
      const table = await dynamodb.createTable(...keys);
      await assert.rejects(open([`dynamodb:${table}`]).agents.list(), {
        code: "AWS_DENIED",
        message: `The DynamoDB table ${table} is not a registry: its key is ${keys.map((key) => `${key} (S)`).join(" and ")}`,
        hint: /agent_name and version/,
      });
    }
  });

  test("an address that names no table is said when it is used, and only then", async () => {
    for (const address of ["dynamodb:", "dynamodb:a", "dynamodb:a b c", "dynamodb:table/AgentRegistry"]) {
      await assert.rejects(open([address]).agents.list(), { code: "USAGE_INVALID", hint: /dynamodb:TABLE/ });
    }
    const [agents] = await dynamodb.createRegistries();
    assert.deepEqual(await open([agents.replace(":", "://")]).agents.list(), []);
  });

  /** Answers every call of AWS as DynamoDB answers what it refuses. */
  async function refusing(
    type: string,
    run: (aws: AwsSettings, calls: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const calls: string[] = [];
    const server = createServer((request, response) => {
      calls.push(String(request.headers["x-amz-target"]));
      response.writeHead(400, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify({ __type: `com.amazon.coral.service#${type}`, message: "no" }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await run({ ...dynamodb.aws, endpoints: { DYNAMODB: endpoint } }, calls);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  for (const [type, message, hint] of [
    ["AccessDeniedException", "access is denied", /policy allows/],
    ["ExpiredTokenException", "the AWS credentials have expired", /aws sso login/],
    ["UnrecognizedClientException", "AWS does not know these credentials", /--profile/],
  ] as const) {
    test(`names the table and what to do when AWS answers ${type}`, () =>
      refusing(type, async (aws, calls) => {
        const registry = open(["dynamodb:AgentRegistry-prod"], { aws });
        assert.deepEqual(calls, []);
        await assert.rejects(registry.agents.resolve({ name: "lookup" }), {
          code: "AWS_DENIED",
          message: `Cannot look at the DynamoDB table AgentRegistry-prod: ${message}`,
          hint,
        });
        assert.deepEqual(calls, ["DynamoDB_20120810.DescribeTable"]);
      }));
  }

  test("says that no region is set", async () => {
    const { region, ...aws } = dynamodb.aws;
    assert.ok(region !== undefined);
    const config = { AWS_CONFIG_FILE: process.env["AWS_CONFIG_FILE"], AWS_REGION: process.env["AWS_REGION"] };
    process.env["AWS_CONFIG_FILE"] = "/dev/null";
    delete process.env["AWS_REGION"];
    try {
      await assert.rejects(open(["dynamodb:AgentRegistry-prod"], { aws }).agents.list(), {
        code: "AWS_DENIED",
        message: /AgentRegistry-prod: no AWS region is set/,
        hint: /--region/,
      });
    } finally {
      for (const [name, value] of Object.entries(config)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  test("of two sides that publish the same version at once, exactly one succeeds", async () => {
    const registries = await dynamodb.createRegistries();
    for (let minor = 0; minor < 5; minor += 1) {
      const version = `1.${minor}.0`;
      const settled = await Promise.allSettled(
        ["one", "two"].map((name) => open(registries).templates.publish(aTemplate({ version, name }))),
      );
      const lost = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as RowcallError] : []));
      assert.deepEqual(
        lost.map(({ code }) => code),
        ["VERSION_EXISTS"],
      );
    }
  });
});
