import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEmulators, type Emulators } from "../../src/cli/sandbox/emulators.ts";
import type { AwsSettings } from "../../src/aws/aws.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { openActivityQueue } from "../../src/runs/activity-queue.ts";
import { createInterpreter, type Interpreter } from "./interpreter.ts";
import { DefinitionError, loadDefinition } from "./load-definition.ts";
import { leftOut, recordedCases, type RecordedCase } from "./recordings/cases.ts";
import { fromJsonPath, NoCounterpart } from "./recordings/from-jsonpath.ts";
import { eventList, eventTree, plain, plainEvents } from "./recordings/normalise.ts";
import { haveRecordings, readRecordings, readTemplate, type Recording } from "./recordings/read-recordings.ts";
import { machineOf, testInterpreter } from "./test-interpreter.ts";
import { runToEnd } from "./run-to-end.ts";
import { createVirtualClock, settle, type VirtualClock } from "./virtual-clock.ts";
import type { LambdaHandler } from "./world.ts";

const place = { partition: "aws", region: "eu-west-1", account: "111111111111" };
const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const never = new AbortController().signal;
const absent = haveRecordings ? false : "the recordings are not on this machine";

const arnPlaceholders = [
  ["stateMachine:recorded", "stateMachine:<ArnPart_0idx>"],
  ["execution:recorded", "execution:<ArnPart_0idx>"],
  ["mapRun:recorded", "mapRun:<ArnPart_0idx>"],
  ["arn:aws:", "arn:<partition>:"],
  [place.region, "<region>"],
] as const;

describe("histories that AWS recorded", { skip: absent }, () => {
  let emulators: Emulators;
  let aws: AwsSettings;
  const counts = { asRecorded: 0, translated: 0, refused: 0 };

  before(async () => {
    emulators = await startEmulators(place.region);
    aws = { region: place.region, credentials, endpoints: { S3: emulators.url } };
    const { S3Client, CreateBucketCommand } = await import("@aws-sdk/client-s3");
    const s3 = new S3Client({ region: place.region, credentials, endpoint: emulators.url, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "bucket-name" }));
    s3.destroy();
  });
  after(() => emulators.close());

  for (const recorded of recordedCases) {
    test(recorded.test, async () => {
      const recording = recordingOf(recorded.file, recorded.test);
      const machine = chooseMachine(recorded);
      if (machine === undefined) {
        counts.refused += 1;
        return;
      }
      const { definition, translated } = machine;
      counts[translated ? "translated" : "asRecorded"] += 1;
      await compare(recorded, recording, definition, aws);
    });
  }

  test("none was forgotten", () => {
    const known = new Set([...recordedCases.map(({ test }) => test), ...leftOut.keys()]);
    for (const file of new Set(recordedCases.map(({ file }) => file)))
      for (const [name, recording] of readRecordings(file))
        if ("get_execution_history" in recording) assert.ok(known.has(name), name);
  });

  // To the number: one that is refused instead of compared is a loss.
  test("so many were compared", (context) => {
    const { asRecorded, translated, refused } = counts;
    context.diagnostic(`${asRecorded} as recorded, ${translated} translated from JSONPath, ${refused} refused`);
    assert.deepEqual(counts, { asRecorded: 68, translated: 96, refused: 58 });
  });
});

describe("answers of the API that AWS recorded", { skip: absent }, () => {
  const wait = machineOf({ State_1: { Type: "Wait", Seconds: 60 } });

  test("TestTimeouts::test_global_timeout", async (context) => {
    const recording = recordingOf("test_timeouts", "TestTimeouts::test_global_timeout");
    const recorded = { ...wait, TimeoutSeconds: 5 };
    const { time, start, describeExecution } = testInterpreter(context, { recorded }, { place });
    const arn = start("recorded", {}, "execution-name");
    await time.advance(5000);
    const placeholders = new Map([["execution-name", "<execution-name>"], ...arnPlaceholders]);
    assert.deepEqual(
      plain(toJson(describeExecution(arn)), placeholders),
      plain(toJson(recording["describe_execution"]), new Map()),
    );
  });

  test("TestSnfApi::test_stop_execution", (context) => {
    const recording = recordingOf("test_sfn_api", "TestSnfApi::test_stop_execution");
    const { start, stopExecution, history } = testInterpreter(context, { recorded: wait }, { roleArn: "snf_role_arn" });
    const arn = start("recorded");
    stopExecution(arn);
    const { events } = recording["exec_hist_resp"] as { readonly events: readonly JsonObject[] };
    assert.deepEqual(eventTree(plainEvents(history(arn), new Map())), eventTree(plainEvents(events, new Map())));
  });

  test("TestSnfApi::test_start_execution_idempotent", (context) => {
    const recording = recordingOf("test_sfn_api", "TestSnfApi::test_start_execution_idempotent");
    const { start } = testInterpreter(context, { recorded: wait }, { place });
    const arn = start("recorded", {}, "execution-name");
    const { Error: said } = recording["start_exec_already_exists"] as { Error: { Code: string; Message: string } };
    const message = said.Message.replaceAll(/arn:[^']+/g, arn);
    assert.equal(start("recorded", {}, "execution-name"), arn);
    assert.throws(() => start("recorded", { other: 1 }, "execution-name"), { name: said.Code, message });
  });

  test("TestSnfApiMapRun::test_list_map_runs_and_describe_map_run", async (context) => {
    const recording = recordingOf("test_sfn_api_map_run", "TestSnfApiMapRun::test_list_map_runs_and_describe_map_run");
    const recorded = fromJsonPath(readTemplate("scenarios/map_state_tolerated_failure_count") as JsonObject);
    const rows = (recorded["States"] as Record<string, Record<string, JsonValue>>)["MapState"];
    delete rows?.["ToleratedFailureCount"];
    const { run, listMapRuns } = testInterpreter(context, { recorded }, { place });
    const { executionArn, name } = await run("recorded", ["Hello", "World"]);
    const [mapRun] = listMapRuns(executionArn);
    const [, label = "", id = ""] = /mapRun:[^/]+\/([^:]+):(.+)$/.exec(mapRun?.mapRunArn ?? "") ?? [];
    const placeholders = new Map([
      [name, "<ExecArnPart_0idx>"],
      [label, "<MapRunArnPart0_0idx>"],
      [id, "<MapRunArnPart1_0idx>"],
      ...arnPlaceholders,
    ]);
    assert.deepEqual(plain(toJson(mapRun), placeholders), plain(toJson(recording["describe_map_run"]), new Map()));
  });
});

function toJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

function recordingOf(file: string, test: string): Recording {
  const recording = readRecordings(file).get(test);
  assert.ok(recording !== undefined, "AWS has confirmed this recording");
  return recording;
}

interface Chosen {
  readonly definition: JsonObject;
  readonly translated: boolean;
}

// As it was recorded, or else what it is in JSONata; undefined when both are refused.
function chooseMachine(recorded: RecordedCase): Chosen | undefined {
  const template = readTemplate(recorded.template) as JsonObject;
  recorded.edit?.(template["States"] as Record<string, Record<string, JsonValue>>);
  if (loads(template)) return { definition: template, translated: false };
  if (recorded.onlyJsonPath === true) return undefined;
  try {
    const definition = fromJsonPath(template);
    return loads(definition) ? { definition, translated: true } : undefined;
  } catch (error) {
    if (error instanceof NoCounterpart) return undefined;
    throw error;
  }
}

function loads(definition: JsonObject): boolean {
  try {
    loadDefinition("recorded", definition);
    return true;
  } catch (error) {
    if (error instanceof DefinitionError) return false;
    throw error;
  }
}

async function compare(
  recorded: RecordedCase,
  recording: Recording,
  definition: JsonObject,
  aws: AwsSettings,
): Promise<void> {
  const { events } = recording["get_execution_history"] as { readonly events: readonly JsonObject[] };
  const started = events[0]?.["executionStartedEventDetails"] as JsonObject;
  const given = typeof started["input"] === "string" ? (JSON.parse(started["input"]) as JsonValue) : started["input"];
  const input = recorded.input === undefined ? (given ?? null) : { ...(given as JsonObject), ...recorded.input };
  if (recorded.object !== undefined) await putObject(aws, String((given as JsonObject)["Key"]), recorded.object);

  const time = createVirtualClock();
  const activities = openActivityQueue(":memory:", time);
  if (recorded.worker !== "none") activities.createActivity("lookup");
  const interpreter = createInterpreter({
    machines: { recorded: definition },
    lambdas: Object.fromEntries(
      [...functionNames(recording), "job"].map((name) => [name, handlers[recorded.lambda ?? "identity"]]),
    ),
    activities,
    aws,
    clock: time.clock,
    wait: time.wait,
    place,
    roleArn: "snf_role_arn",
  });
  try {
    const { executionArn } = interpreter.startExecution({
      stateMachineArn: interpreter.arnOf("recorded"),
      name: "execution-name",
      input: JSON.stringify(input),
    });
    await work(recorded, interpreter, activities, time);
    await runToEnd(interpreter, time, executionArn);
    const placeholders = placeholdersOf(interpreter, executionArn, recording);
    const ours = plainEvents(interpreter.history(executionArn), placeholders);
    const theirs = plainEvents(events, new Map());
    // Branches of Parallel states were recorded without their ids.
    const form = theirs.some(({ id }) => typeof id !== "number") ? eventList : eventTree;
    assert.deepEqual(form(ours), form(theirs));
    if (form === eventTree) assert.equal(ours.length, theirs.length);
  } finally {
    await interpreter.close();
    activities.close();
  }
}

const handlers: Readonly<Record<"identity" | "raise" | "hang", LambdaHandler>> = {
  identity: (payload) => payload,
  raise: () => {
    const error = new Error("Some exception was raised.");
    error.name = "Exception";
    throw error;
  },
  hang: () => new Promise(() => undefined),
};

async function work(
  { worker, workerName = "", passSeconds }: RecordedCase,
  interpreter: Interpreter,
  activities: ReturnType<typeof openActivityQueue>,
  time: VirtualClock,
): Promise<void> {
  if (worker !== undefined && worker !== "none") {
    const task = await activities.take("lookup", workerName, never);
    if (worker === "succeed") activities.succeed(task?.token ?? "", task?.input ?? "");
    if (worker === "fail") activities.fail(task?.token ?? "", "Programmatic Error", task?.input);
  }
  if (passSeconds === undefined) return;
  while (interpreter.callsUnderWay() === 0) await settle();
  await time.advance(passSeconds * 1000);
}

function functionNames(recording: Recording): Set<string> {
  const names = JSON.stringify(recording).matchAll(/"FunctionName":"([^"]+)"/g);
  return new Set([...names].map(([, name = ""]) => name));
}

function placeholdersOf(interpreter: Interpreter, executionArn: string, recording: Recording): Map<string, string> {
  const [run] = interpreter.listMapRuns(executionArn);
  const mapRunArn = run?.mapRunArn ?? "mapRun:none/none:none";
  const [, label = "", id = ""] = /mapRun:[^/]+\/([^:]+):(.+)$/.exec(mapRunArn) ?? [];
  const wholeArn = JSON.stringify(recording).includes('"map_run_arn"');
  return new Map([
    ...(wholeArn
      ? interpreter.listMapRuns(executionArn).map(({ mapRunArn: arn }) => [arn, "map_run_arn"] as const)
      : []),
    ["arn:aws:states:eu-west-1:111111111111:activity:lookup", "activity_arn"],
    [label, "<MapRunArnPart0_0idx>"],
    [id, "<MapRunArnPart1_0idx>"],
    ["execution-name", "<ExecArnPart_0idx>"],
    ...arnPlaceholders,
    ["recorded", "<ArnPart_0idx>"],
  ]);
}

async function putObject({ endpoints }: AwsSettings, Key: string, Body: string): Promise<void> {
  const { S3Client, PutObjectCommand } = await import("@aws-sdk/client-s3");
  const s3 = new S3Client({ region: place.region, credentials, endpoint: endpoints.S3 ?? "", forcePathStyle: true });
  await s3.send(new PutObjectCommand({ Bucket: "bucket-name", Key, Body }));
  s3.destroy();
}
