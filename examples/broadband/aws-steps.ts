// Runs within `rowcall sandbox --exec`: the seven steps through the AWS SDK, then through the AWS command line where there is one.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { sevenSteps } from "../../src/cli/sandbox/broadband.ts";
import { sandboxNames, statesArn } from "../../src/cli/sandbox/sandbox-environment.ts";
import type { Step } from "../../src/engines/aws/seven-steps.ts";

const { bucket, topic, queue, batchMachine } = sandboxNames;
const commandLine = "/usr/bin/aws";
const outputs = "outputs/broadband/";
const s3 = new S3Client({ forcePathStyle: true });
const states = new SFNClient();
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });

// Where the recording is, what the metadata holds, and times differ from run to run.
const expected = `\
building_number,street,postcode,full_address,success,exchange,cabinet,downstream_mbps,upstream_mbps,availability,service_type,screenshot_url,metadata,_status,_timestamp,_execution_time_ms
1,Church View,DN12 1RH,,true,DONCASTER CENTRAL,Cabinet 15,67,19,true,FTTC,s3://…,{…},SUCCESS,TIME,MS
23,High Street,SW1A 1AA,23 High Street London SW1A 1AA,true,KINGSLAND GREEN,Cabinet 9,80,20,true,FTTC,s3://…,{…},SUCCESS,TIME,MS
`;

const { TopicArn: topicArn = "" } = await new SNSClient().send(new CreateTopicCommand({ Name: topic }));
const steps = sevenSteps(topicArn);

await throughSdk();
if (existsSync(commandLine)) await throughCommandLine();
else say(`There is no ${commandLine} on this machine: the steps were done through the AWS SDK alone.`);

async function throughSdk(): Promise<void> {
  say("Through the AWS SDK:");
  const [table = "", config = ""] = [steps[0], steps[2]].map(fileOf);
  const locations = { csv: "inputs/test_addresses.csv", config: "configs/broadband_batch_config.json" };
  step(1, `${table.trimEnd().split("\n").length - 1} addresses`);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: locations.csv, Body: table }));
  step(2, `s3://${bucket}/${locations.csv}`);
  step(3, Object.keys(JSON.parse(config) as object).join(", "));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: locations.config, Body: config }));
  step(4, `s3://${bucket}/${locations.config}`);
  const { executionArn } = await states.send(
    new StartExecutionCommand({
      stateMachineArn: statesArn("stateMachine", batchMachine),
      input: JSON.stringify({
        config_s3_uri: `s3://${bucket}/${locations.config}`,
        input_csv_s3_uri: `s3://${bucket}/${locations.csv}`,
        output_s3_prefix: `s3://${bucket}/${outputs}`,
      }),
    }),
  );
  step(5, executionArn ?? "");
  const described = await ended(() => states.send(new DescribeExecutionCommand({ executionArn })));
  assert.equal(described.status, "SUCCEEDED", `${described.error}: ${described.cause}`);
  step(6, `${described.status}: ${described.output}`);
  const { Contents: objects = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: outputs }));
  const key = objects.at(-1)?.Key ?? "";
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  checkOutput(key, (await body?.transformToString()) ?? "");
  await checkMessage(key);
}

async function throughCommandLine(): Promise<void> {
  say(`Through ${commandLine}:`);
  const folder = await mkdtemp(join(tmpdir(), "rowcall-aws-steps-"));
  // A variable lives on from step to step, as it does in a terminal.
  let carried = "";
  const shell = async (script: string): Promise<string> => {
    const { stdout } = await promisify(execFile)("bash", ["-euc", `PATH=/usr/bin:$PATH\n${carried}\n${script}`], {
      cwd: folder,
    });
    return stdout.trim();
  };
  try {
    for (const [i, { script }] of steps.entries()) {
      if (i === 4) {
        const arn = await shell(`${script}\necho "$execution"`);
        carried = `execution='${arn}'`;
        step(5, arn);
      } else if (i === 5) {
        const described = await ended(async () => JSON.parse(await shell(script)) as { readonly status?: string });
        assert.equal(described.status, "SUCCEEDED", JSON.stringify(described));
        step(6, described.status);
      } else if (i === 6) {
        const key = await shell(`${script} >&2\necho "$result"`);
        checkOutput(`${outputs}${key}`, await readFile(join(folder, "results.csv"), "utf8"));
        await checkMessage(`${outputs}${key}`);
      } else {
        const said = await shell(script);
        step(i + 1, said.split("\n").at(-1)?.split("\r").at(-1) || "done");
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function checkOutput(key: string, csv: string): void {
  const masked = csv
    .replaceAll(/s3:\/\/[\w./-]+\.jpg/g, "s3://…")
    .replaceAll(/"\{""act_id"":""[\w-]+"",""session_id"":""[\w-]+"",""num_steps"":\d+\}"/g, "{…}")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+$/gm, "TIME,MS");
  assert.match(key, /result-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.csv$/);
  assert.equal(masked, expected);
  step(7, `s3://${bucket}/${key}\n\n${csv}`);
}

async function checkMessage(key: string): Promise<void> {
  const { QueueUrl: url } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
  const { Messages: messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20, MaxNumberOfMessages: 1 }),
  );
  const [message] = messages;
  assert.ok(message !== undefined, "no message came to the queue that is subscribed to the topic");
  const told = JSON.parse(message.Body ?? "{}") as { readonly Subject?: string; readonly Message?: string };
  assert.ok(told.Message?.includes(key), `the message does not name the output: ${message.Body}`);
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));
  say(`The subscribed queue was told: ${told.Subject}\n`);
}

async function ended<T extends { readonly status?: string | undefined }>(describe: () => Promise<T>): Promise<T> {
  for (;;) {
    const described = await describe();
    if (described.status !== "RUNNING") return described;
    await wait(500);
  }
}

/** What a step's script writes into its file. */
function fileOf(one: Step | undefined): string {
  return /<< 'EOF'\n(.*)\nEOF$/s.exec(one?.script ?? "")?.[1]?.concat("\n") ?? "";
}

function step(number: number, what: string): void {
  say(`  ${number}. ${steps[number - 1]?.title}: ${what}`);
}

function say(text: string): void {
  console.log(text);
}
