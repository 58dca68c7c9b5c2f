import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { parse } from "csv-parse/sync";
import { siteData } from "../../examples/broadband/site/data.ts";
import { openSandbox, type Sandbox } from "../../src/cli/sandbox/open-sandbox.ts";
import { sandboxNames } from "../../src/cli/sandbox/sandbox-environment.ts";
import { startWorkerProcess } from "../../src/cli/sandbox/worker-process.ts";
import type { AwsSettings } from "../../src/aws/aws.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { activitiesPath, openActivityQueue } from "../../src/runs/activity-queue.ts";
import { openStores } from "../../src/stores/open-store.ts";
import { createInterpreter, type ExecutionDescription, type Interpreter } from "../asl/interpreter.ts";
import { startDeployment } from "../../infra/testing/deployment.ts";

const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const { bucket } = sandboxNames;
const activity = "broadband-availability-bt-wholesale-prod";

// One row of each kind of end, and those whose text is hostile.
const scenarios = [
  "exact match, FTTC",
  "letter suffix, not typable into the form",
  "answer after 45 s",
  "unavailable twice, then well",
  "permanently unavailable",
  "flats: no flat named",
  "address not in the list",
  "postcode that is none",
  "empty required cells",
  "no service at all",
  "captcha",
  "hostile text: formula as exchange",
  "hostile text: markup, quotes, newline",
  "hostile text: a sentence that gives orders",
];

describe("the deployed state machines, run as Step Functions runs them", () => {
  const started = new AsyncDisposableStack();
  let folder: string;
  let sandbox: Sandbox;
  let interpreter: Interpreter;
  let settings: AwsSettings;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-machine-"));
    started.defer(() => rm(folder, { recursive: true, force: true }));
    sandbox = await openSandbox({
      io: { env: process.env, stderr: process.stderr, workingDirectory: folder },
      concurrency: 1,
      dataDirectory: join(folder, "data"),
    });
    started.defer(() => sandbox.close());
    const { exports } = sandbox;
    settings = {
      region: "eu-west-1",
      credentials: sandbox.keys,
      endpoints: {
        S3: exports["AWS_ENDPOINT_URL"] ?? "",
        SNS: exports["AWS_ENDPOINT_URL"] ?? "",
        DYNAMODB: exports["AWS_ENDPOINT_URL_DYNAMODB"] ?? "",
      },
    };
    const s3 = new S3Client({ ...awsClient(), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "browser-agent-recordings-prod-123456789012" }));
    s3.destroy();
    const deployment = await startDeployment({ ...sandbox.env });
    started.defer(() => deployment.close());
    const queue = openActivityQueue(activitiesPath(join(folder, "data")));
    started.defer(() => queue.close());
    queue.createActivity(activity);
    interpreter = createInterpreter({
      machines: deployment.machines,
      lambdas: deployment.lambdas,
      activities: queue,
      aws: settings,
      clock: Date.now,
      wait: (ms, signal) => wait(ms, undefined, { signal }),
      random: Math.random,
    });
    started.defer(() => interpreter.close());
    const worker = startWorkerProcess({
      activityArn: `arn:aws:states:eu-west-1:123456789012:activity:${activity}`,
      concurrency: 4,
      env: { ...sandbox.env },
      folder,
      allowedModules: [],
    });
    started.defer(() => worker.close());
  });
  after(() => started.disposeAsync());

  function awsClient() {
    return { endpoint: settings.endpoints.S3 ?? "", region: "eu-west-1", credentials: settings.credentials! };
  }

  async function put(key: string, content: string | JsonObject): Promise<string> {
    const store = openStores({ baseDirectory: folder, aws: settings });
    const uri = `s3://${bucket}/${key}`;
    await store.write(uri, Buffer.from(typeof content === "string" ? content : JSON.stringify(content)));
    return uri;
  }

  async function get(uri: string): Promise<string> {
    const store = openStores({ baseDirectory: folder, aws: settings });
    return Buffer.concat(await Array.fromAsync(store.read(uri))).toString("utf8");
  }

  async function execute(input: JsonValue): Promise<ExecutionDescription> {
    const stateMachineArn = interpreter.arnOf("batch-processor-prod");
    const { executionArn } = interpreter.startExecution({ stateMachineArn, input: JSON.stringify(input) });
    return interpreter.finished(executionArn);
  }

  async function resetReplica(): Promise<void> {
    const control = new URL("/__control", sandbox.facts["checker (replica)"]);
    await fetch(control, { method: "POST", body: JSON.stringify({ reset: true }) });
  }

  async function inputs(over: JsonObject = {}): Promise<{ readonly config: string; readonly csv: string }> {
    const table = await readFile(pathOf("examples/broadband/addresses.csv"), "utf8");
    const records = parse(table, { columns: true, raw: true }) as unknown as readonly { readonly raw: string }[];
    const chosen = scenarios.map(
      (name) => records[siteData.expectations.findIndex(({ scenario }) => scenario === name)],
    );
    const batch = JSON.parse(await readFile(pathOf("examples/broadband/batch.json"), "utf8")) as JsonObject;
    const config = await put("configs/batch.json", {
      ...batch,
      execution_config: {
        max_concurrency: 4,
        // Short of the answer that takes 45 s, and long for all others.
        timeout_seconds: 30,
        retry_strategy: { max_attempts: 2, interval_seconds: 0.1, do_not_retry_on: ["TIMEOUT"] },
        dispatch: "activity",
      },
      output_mapping: {
        ...(batch["output_mapping"] as JsonObject),
        metadata_columns: ["_row", "_attempts", "_error_code"],
      },
      notification_config: { enabled: true, sns_topic_arn: sandbox.facts["topic"] ?? "" },
      ...over,
    });
    const csv = await put(
      "inputs/addresses.csv",
      table.slice(0, table.indexOf("\n") + 1) + chosen.map((record) => record?.raw).join(""),
    );
    return { config, csv };
  }

  // Runs have their own ids and times, and place recordings by them; a page's list of candidates comes in no certain order.
  const mask = (csv: string): string =>
    csv
      .replaceAll(/s3:\/\/browser-agent-recordings-prod(?:-123456789012)?\/[\w-]+\//g, "RECORDINGS/")
      .replaceAll(/""(act_id|session_id)"":""[\d]+-[\d]+-\w+-/g, '""$1"":""RUN-')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+/g, "TIME,MS");

  it("give the table that one machine gives, row by row and byte for byte", async () => {
    const { config, csv } = await inputs();
    const input = { config_s3_uri: config, input_csv_s3_uri: csv, output_s3_prefix: `s3://${bucket}/outputs/aws/` };
    const ended = await execute(input);
    assert.equal(ended.status, "SUCCEEDED", `${ended.error}: ${ended.cause}`);
    const output = JSON.parse(ended.output ?? "{}") as JsonObject;

    await resetReplica();
    const script = [
      "run",
      JSON.stringify({ ...input, output_s3_prefix: `s3://${bucket}/outputs/local/` }),
      "--dispatch",
      "in_process",
    ];
    const { stdout } = await promisify(execFile)(process.execPath, [pathOf("src/cli/main.ts"), ...script], {
      env: { ...sandbox.env },
      cwd: folder,
    }).catch((error: { readonly stdout: string }) => error);
    const [aws, local] = [await get(String(output["output_csv_s3_uri"])), await get(stdout.trim())];
    assert.equal(mask(aws), mask(local));
    assert.equal(output["total_rows"], scenarios.length);
    for (const code of [
      "TIMEOUT",
      "PAGE_UNEXPECTED",
      "CHOICE_AMBIGUOUS",
      "CHOICE_NONE",
      "ROW_INVALID",
      "ROW_VALUE_MISSING",
      "NEEDS_HUMAN",
    ])
      assert.ok(aws.includes(code), `no row failed with ${code}`);
  });

  it("tell the topic what came of it", async () => {
    // And then what came of the same batch on one machine.
    const [told, local] = [await message(), await message()];
    assert.match(told.Subject, /succeeded: 7 of 14 rows/);
    assert.match(local.Subject, /succeeded: 7 of 14 rows/);
    assert.match(told.Message, /^Output: s3:\/\/\S+\/outputs\/aws\/result-\S+\.csv$/m);
    assert.equal(told.MessageAttributes["rows_failed"]?.Value, "7");
  });

  it("attempt failed rows again in a run of its own, and give the whole table", async () => {
    const { config, csv } = await inputs();
    await resetReplica();
    const input = { config_s3_uri: config, input_csv_s3_uri: csv, output_s3_prefix: `s3://${bucket}/outputs/again/` };
    const first = await execute({
      ...input,
      rowcall: {
        rows: [
          [0, 0],
          [6, 6],
          [10, 10],
        ],
      },
    });
    const { run_id: id } = JSON.parse(first.output ?? "{}") as JsonObject;
    const again = await execute({
      ...input,
      rowcall: {
        rows: [
          [0, 0],
          [6, 6],
          [10, 10],
        ],
        earlier: { id: id ?? "", again: "failed", codes: ["NEEDS_HUMAN"] },
      },
    });
    const output = JSON.parse(again.output ?? "{}") as JsonObject;
    assert.deepEqual([output["total_rows"], output["successful_rows"], output["failed_rows"]], [3, 1, 2]);
    const rows: readonly Record<string, string>[] = parse(await get(String(output["output_csv_s3_uri"])), {
      columns: true,
    });
    assert.deepEqual(
      rows.map(({ _row, _attempts, _error_code }) => [_row, _attempts, _error_code]),
      [
        ["0", "1", ""],
        ["6", "1", "CHOICE_NONE"],
        ["10", "2", "NEEDS_HUMAN"],
      ],
    );
    await Promise.all([message(), message()]);
  });

  it("stop when more rows fail than are tolerated, write what there is, and say so", async () => {
    const { config, csv } = await inputs({
      execution_config: {
        max_concurrency: 1,
        timeout_seconds: 30,
        tolerated_failure_count: 2,
        retry_strategy: { max_attempts: 0 },
      },
    });
    const rows = [
      [5, 8],
      [9, 9],
      [0, 0],
    ].toSorted(([a = 0], [b = 0]) => a - b);
    const ended = await execute({
      config_s3_uri: config,
      input_csv_s3_uri: csv,
      output_s3_prefix: `s3://${bucket}/outputs/stopped/`,
      rowcall: { rows },
    });
    assert.deepEqual([ended.status, ended.error], ["FAILED", "States.ExceedToleratedFailureThreshold"]);
    const table = await get(/s3:\/\/\S+\.csv/.exec(ended.cause ?? "")?.[0] ?? "");
    assert.match(table, /,PENDING,/);
    const told = await message();
    assert.equal(told.MessageAttributes["status"]?.Value, "FAILURE");
  });

  it("refuse a batch that cannot run, in the words of one machine, and tell its topic", async () => {
    const { config, csv } = await inputs({ agent_name: "broadband-availabilty-bt-wholesale" });
    const ended = await execute({
      config_s3_uri: config,
      input_csv_s3_uri: csv,
      output_s3_prefix: `s3://${bucket}/outputs/refused/`,
    });
    assert.deepEqual([ended.status, ended.error], ["FAILED", "AGENT_NOT_FOUND"]);
    assert.match(ended.cause ?? "", /Did you mean "broadband-availability-bt-wholesale/);
    assert.equal(interpreter.listMapRuns(ended.executionArn).length, 0);
    assert.match((await message()).Message, /AGENT_NOT_FOUND/);
  });

  it("run the agent alone, as its newest version in the registry says", async () => {
    const stateMachineArn = interpreter.arnOf("broadband-availability-bt-wholesale-prod");
    const input = JSON.stringify({ building_number: "23", street: "High Street", postcode: "SW1A 1AA" });
    const { executionArn } = interpreter.startExecution({ stateMachineArn, input });
    const ended = await interpreter.finished(executionArn);
    assert.equal(ended.status, "SUCCEEDED", `${ended.error}: ${ended.cause}`);
    const { structured_output: output } = JSON.parse(ended.output ?? "{}") as {
      readonly structured_output: JsonObject;
    };
    assert.equal(output["exchange"], "KINGSLAND GREEN");
  });

  it("run the browser in a function where that is deployed", async () => {
    const inLambda = await startDeployment({ ...sandbox.env }, { browser: "lambda" });
    const other = createInterpreter({
      machines: inLambda.machines,
      lambdas: inLambda.lambdas,
      aws: settings,
      clock: Date.now,
      wait: (ms, signal) => wait(ms, undefined, { signal }),
    });
    try {
      const stateMachineArn = other.arnOf("broadband-availability-bt-wholesale-prod");
      const [found, lost] = ["23", "99"].map((number) => {
        const input = JSON.stringify({ building_number: number, street: "High Street", postcode: "SW1A 1AA" });
        return other.finished(other.startExecution({ stateMachineArn, input }).executionArn);
      });
      const { output } = (await found) ?? {};
      const { structured_output: fields } = JSON.parse(output ?? "{}") as { readonly structured_output: JsonObject };
      assert.equal(fields["exchange"], "KINGSLAND GREEN");
      const { error, cause } = (await lost) ?? {};
      assert.equal(error, "CHOICE_NONE");
      assert.match((JSON.parse(cause ?? "{}") as { readonly message: string }).message, /is not among the 4 options/);
    } finally {
      await other.close();
      await inLambda.close();
    }
  });

  interface Told {
    readonly Subject: string;
    readonly Message: string;
    readonly MessageAttributes: Readonly<Record<string, { readonly Value: string }>>;
  }

  async function message(): Promise<Told> {
    const sqs = new SQSClient({ ...awsClient(), useQueueUrlAsEndpoint: false });
    try {
      const QueueUrl = sandbox.facts["its queue"];
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle }));
      return JSON.parse(Messages[0]?.Body ?? "{}") as Told;
    } finally {
      sqs.destroy();
    }
  }
});
