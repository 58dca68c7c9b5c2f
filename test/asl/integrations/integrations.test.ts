import assert from "node:assert/strict";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test, type TestContext } from "node:test";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { startEmulatedAws, type EmulatedAws } from "../emulated-aws.ts";
import type { InterpreterOptions } from "../interpreter.ts";
import { machineOf, testInterpreter } from "../test-interpreter.ts";

type Outcome = JsonValue | { readonly error: string; readonly cause: string | undefined };

async function callOnce(
  context: TestContext,
  resource: string,
  Arguments: JsonObject,
  options: Partial<InterpreterOptions>,
): Promise<Outcome> {
  const machine = machineOf({ Call: { Type: "Task", Resource: `arn:aws-cn:states:::${resource}`, Arguments } });
  const { run } = testInterpreter(context, { machine }, options);
  const { status, output = "null", error = "", cause } = await run("machine");
  return status === "SUCCEEDED" ? (JSON.parse(output) as JsonValue) : { error, cause };
}

describe("integrations with AWS", () => {
  let aws: EmulatedAws;
  before(async () => (aws = await startEmulatedAws()));
  after(() => aws.close());

  const call = (context: TestContext, resource: string, given: JsonObject) =>
    callOnce(context, resource, given, { aws: aws.settings });

  test("an object is written, as JSON when it is no text, and read", async (context) => {
    const Key = "out.json";
    const written = await call(context, "aws-sdk:s3:putObject", { Bucket: "bucket", Key, Body: { a: [1, "{% 2 %}"] } });
    const { ETag } = written as JsonObject;
    assert.equal(await aws.get(Key), '{"a":[1,2]}');
    const {
      Body,
      ContentLength,
      ETag: tag,
    } = (await call(context, "aws-sdk:s3:getObject", { Bucket: "bucket", Key })) as JsonObject;
    assert.deepEqual([Body, ContentLength, tag], ['{"a":[1,2]}', 11, ETag]);
  });

  test("an object that is not there is S3.NoSuchKeyException", async (context) => {
    const { error } = (await call(context, "aws-sdk:s3:getObject", { Bucket: "bucket", Key: "none" })) as JsonObject;
    assert.equal(error, "S3.NoSuchKeyException");
  });

  test("a message is published", async (context) => {
    const { SNSClient, CreateTopicCommand } = await import("@aws-sdk/client-sns");
    const { region = "", credentials, endpoints } = aws.settings;
    const client = new SNSClient({
      region,
      endpoint: endpoints.SNS ?? "",
      ...(credentials === undefined ? {} : { credentials }),
    });
    const { TopicArn = "" } = await client.send(new CreateTopicCommand({ Name: "told" }));
    client.destroy();
    const published = await call(context, "sns:publish", { TopicArn, Subject: "s", Message: { run: 1 } });
    assert.match(String((published as JsonObject)["MessageId"]), /^[0-9a-f-]{36}$/);
    const nowhere = await call(context, "sns:publish", { TopicArn: `${TopicArn}x`, Message: "m" });
    assert.match(String((nowhere as JsonObject)["error"]), /^SNS\.NotFound/);
  });

  test("items are got and queried, in the letters that each integration has", async (context) => {
    const { CreateTableCommand, PutItemCommand } = await import("@aws-sdk/client-dynamodb");
    await aws.dynamodb.send(
      new CreateTableCommand({
        TableName: "agents",
        AttributeDefinitions: [
          { AttributeName: "name", AttributeType: "S" },
          { AttributeName: "version", AttributeType: "N" },
        ],
        KeySchema: [
          { AttributeName: "name", KeyType: "HASH" },
          { AttributeName: "version", KeyType: "RANGE" },
        ],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
    const values: Record<string, AttributeValue> = {
      live: { BOOL: true },
      gone: { NULL: true },
      tags: { SS: ["a", "b"] },
      more: { M: { l: { L: [{ N: "1" }] } } },
    };
    for (const version of ["1", "2"])
      await aws.dynamodb.send(
        new PutItemCommand({
          TableName: "agents",
          Item: { name: { S: "lookup" }, version: { N: version }, ...values },
        }),
      );

    const Key = { name: { S: "lookup" }, version: { N: "1" } };
    const got = (await call(context, "dynamodb:getItem", { TableName: "agents", Key })) as JsonObject;
    assert.deepEqual(got["Item"], { ...Key, ...values });
    const none = await call(context, "dynamodb:getItem", { TableName: "agents", Key: { ...Key, version: { N: "9" } } });
    assert.equal((none as JsonObject)["Item"], undefined);

    const queried = (await call(context, "aws-sdk:dynamodb:query", {
      TableName: "agents",
      KeyConditionExpression: "#n = :n",
      FilterExpression: "live = :live",
      ExpressionAttributeNames: { "#n": "name" },
      ExpressionAttributeValues: { ":n": { S: "lookup" }, ":live": { Bool: true } },
      ScanIndexForward: false,
    })) as JsonObject;
    assert.equal(queried["Count"], 2);
    const [newest] = queried["Items"] as JsonObject[];
    assert.deepEqual(newest, {
      name: { S: "lookup" },
      version: { N: "2" },
      live: { Bool: true },
      gone: { Nul: true },
      tags: { Ss: ["a", "b"] },
      more: { M: { l: { L: [{ N: "1" }] } } },
    });
  });

  test("a table that is not there has each integration's own name for it", async (context) => {
    const Key = { name: { S: "a" } };
    const got = (await call(context, "dynamodb:getItem", { TableName: "none", Key })) as JsonObject;
    assert.equal(got["error"], "DynamoDB.ResourceNotFoundException");
    const given = {
      TableName: "none",
      KeyConditionExpression: "a = :a",
      ExpressionAttributeValues: { ":a": { S: "a" } },
    };
    const queried = (await call(context, "aws-sdk:dynamodb:query", given)) as JsonObject;
    assert.equal(queried["error"], "DynamoDb.ResourceNotFoundException");
  });

  test("refuses DynamoDB's own letters where Java's are asked for", async (context) => {
    const given = {
      TableName: "t",
      KeyConditionExpression: "a = :a",
      ExpressionAttributeValues: { ":a": { BOOL: true } },
    };
    await assert.rejects(call(context, "aws-sdk:dynamodb:query", given), /Write Bool for BOOL/);
  });
});

describe("http:invoke", () => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      if (url === "/slow") return;
      const said = {
        method,
        url,
        token: headers["x-token"],
        type: headers["content-type"],
        body: Buffer.concat(chunks).toString(),
      };
      response.writeHead(url?.startsWith("/bad") === true ? 503 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(said));
    });
  });
  let root = "";
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const ConnectionArn = "arn:aws:events:eu-west-1:123456789012:connection/agent/1";
  const connections = { [ConnectionArn]: { headers: { "x-token": "secret" }, query: { key: "k" } } };
  const given = (path: string): JsonObject => ({
    ApiEndpoint: root + path,
    Method: "POST",
    Authentication: { ConnectionArn },
  });

  test("sends what the state and the connection say, and gives the answer", async (context) => {
    const answer = (await callOnce(
      context,
      "http:invoke",
      {
        ...given("/run"),
        QueryParameters: { a: "1 2" },
        Headers: { "x-token": "mine" },
        RequestBody: { n: "{% 1 %}" },
      },
      { connections },
    )) as JsonObject;
    assert.deepEqual(answer["ResponseBody"], {
      method: "POST",
      url: "/run?a=1+2&key=k",
      token: "secret",
      type: "application/json",
      body: '{"n":1}',
    });
    assert.deepEqual([answer["StatusCode"], answer["StatusText"]], [200, "OK"]);
    assert.deepEqual((answer["Headers"] as JsonObject)["content-type"], ["application/json"]);
  });

  test("an answer that is no success is an error by its status", async (context) => {
    const { error, cause } = (await callOnce(context, "http:invoke", given("/bad"), { connections })) as JsonObject;
    assert.equal(error, "States.Http.StatusCode.503");
    assert.equal((JSON.parse(String(cause)) as JsonObject)["StatusCode"], 503);
  });

  test("a connection that is not there, and a host that does not answer, are errors", async (context) => {
    const unknown = (await callOnce(context, "http:invoke", given("/run"), {})) as JsonObject;
    assert.equal(unknown["error"], "Events.ConnectionResource.NotFound");
    const closed = { ...given("/run"), ApiEndpoint: "http://127.0.0.1:9" };
    const refused = (await callOnce(context, "http:invoke", closed, { connections })) as JsonObject;
    assert.equal(refused["error"], "States.Http.Socket");
  });

  test("an answer takes 60 seconds at most", async (context) => {
    const asked = once(server, "request");
    const machine = machineOf({
      Call: { Type: "Task", Resource: "arn:aws:states:::http:invoke", Arguments: given("/slow") },
    });
    const { start, time, finished } = testInterpreter(context, { machine }, { connections });
    const arn = start("machine");
    await asked;
    await time.advance(60_000);
    assert.equal((await finished(arn)).error, "States.Http.Socket");
  });
});
