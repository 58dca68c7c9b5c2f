import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { startEmulatedAws, type EmulatedAws } from "./emulated-aws.ts";
import { payloadBytes } from "./payload.ts";
import { machineOf, sequenceOf, testInterpreter } from "./test-interpreter.ts";
import { settle } from "./virtual-clock.ts";

const work: JsonObject = {
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  Arguments: { FunctionName: "work", Payload: "{% $states.input %}" },
  Output: "{% $states.result.Payload %}",
};

function rows(fields: JsonObject, states: Readonly<Record<string, JsonObject>> = { Work: work }): JsonObject {
  return machineOf({
    Rows: {
      Type: "Map",
      Label: "Rows",
      MaxConcurrency: 1,
      ItemProcessor: {
        ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
        ...sequenceOf(states),
      },
      ...fields,
    },
  });
}

const writer = (config?: JsonObject): JsonObject => ({
  ResultWriter: {
    Resource: "arn:aws:states:::s3:putObject",
    Arguments: { Bucket: "bucket", Prefix: "results/" },
    ...(config === undefined ? {} : { WriterConfig: config }),
  },
});

const reader = (config: JsonObject, Key: string): JsonObject => ({
  ItemReader: { Resource: "arn:aws:states:::s3:getObject", ReaderConfig: config, Arguments: { Bucket: "bucket", Key } },
});

// Odd numbers fail.
const evenOnly = (payload: JsonValue): JsonValue => {
  if (Number(payload) % 2 === 1) throw Object.assign(new Error(`${String(payload)} is odd`), { name: "Odd" });
  return Number(payload) * 10;
};

describe("a distributed map", () => {
  let aws: EmulatedAws;
  before(async () => (aws = await startEmulatedAws()));
  after(() => aws.close());

  const over = { lambdas: { work: evenOnly } };

  test("gives the outputs in the order of the items", async (context) => {
    const machine = rows({ MaxConcurrency: 0 });
    const { run, listMapRuns } = testInterpreter(context, { machine }, over);
    const { output, executionArn } = await run("machine", [4, 2, 8]);
    assert.equal(output, "[40,20,80]");
    const [mapRun] = listMapRuns(executionArn);
    const counts = {
      aborted: 0,
      failed: 0,
      pending: 0,
      resultsWritten: 3,
      running: 0,
      succeeded: 3,
      timedOut: 0,
      total: 3,
    };
    assert.equal(mapRun?.status, "SUCCEEDED");
    assert.deepEqual([mapRun?.itemCounts, mapRun?.executionCounts], [counts, counts]);
  });

  test("runs each item as an execution of its own machine", async (context) => {
    const machine = rows(
      { ItemSelector: { n: "{% $states.context.Map.Item.Index %}", all: "{% $states.input %}" } },
      {
        Show: { Type: "Pass", Output: "{% [$states.context.Execution.Input, $states.context.StateMachine.Name] %}" },
      },
    );
    const { run, listMapRuns, listExecutions } = testInterpreter(context, { machine });
    const { output, executionArn } = await run("machine", ["a"]);
    assert.deepEqual(JSON.parse(output ?? ""), [[{ n: 0, all: ["a"] }, "machine/Rows"]]);
    const mapRunArn = listMapRuns(executionArn)[0]?.mapRunArn ?? "";
    assert.match(mapRunArn, /^arn:aws:states:eu-west-1:123456789012:mapRun:machine\/Rows:[0-9a-f-]{36}$/);
    const [child] = listExecutions({ mapRunArn });
    assert.match(child?.executionArn ?? "", /:execution:machine\/Rows:[0-9a-f-]{36}$/);
    assert.equal(child?.stateMachineArn, "arn:aws:states:eu-west-1:123456789012:stateMachine:machine/Rows");
    assert.equal(child?.mapRunArn, mapRunArn);
  });

  test("keeps its places full, and tells how it stands meanwhile", async (context) => {
    const answers = new Map<number, () => void>();
    const slow = (payload: JsonValue) =>
      new Promise<JsonValue>((resolve) => answers.set(Number(payload), () => resolve(payload)));
    const { start, listMapRuns, finished } = testInterpreter(
      context,
      { machine: rows({ MaxConcurrency: 2 }) },
      { lambdas: { work: slow } },
    );
    const arn = start("machine", [0, 1, 2, 3]);
    const standing = async () => {
      await settle();
      const { pending, running, succeeded } = listMapRuns(arn)[0]?.itemCounts ?? {};
      return [pending, running, succeeded];
    };
    assert.deepEqual(await standing(), [2, 2, 0]);
    answers.get(1)?.();
    assert.deepEqual(await standing(), [1, 2, 1]);
    answers.get(2)?.();
    answers.get(0)?.();
    assert.deepEqual(await standing(), [0, 1, 3]);
    answers.get(3)?.();
    assert.equal((await finished(arn)).output, "[0,1,2,3]");
  });

  test("goes on while no more fail than is tolerated", async (context) => {
    const { run } = testInterpreter(context, { machine: rows({ ToleratedFailurePercentage: 50 }) }, over);
    const { output } = await run("machine", [1, 2]);
    const [failed, succeeded] = JSON.parse(output ?? "") as [JsonObject, JsonValue];
    assert.deepEqual([failed["Status"], failed["Error"], failed["Input"]], ["FAILED", "Odd", "1"]);
    assert.equal(succeeded, 20);
  });

  test("ends when more fail than is tolerated: what runs is aborted, what waits stays pending", async (context) => {
    const fails = (payload: JsonValue) => (payload === 2 ? new Promise<JsonValue>(() => undefined) : evenOnly(payload));
    const machine = rows({ MaxConcurrency: 2, ToleratedFailureCount: "{% 1 %}", ...writer() });
    const { start, finished, listMapRuns, types } = testInterpreter(
      context,
      { machine },
      { lambdas: { work: fails }, aws: aws.settings },
    );
    const arn = start("machine", [4, 1, 2, 3, 6, 8]);
    const { error, cause } = await finished(arn);
    assert.deepEqual(
      [error, cause],
      ["States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"],
    );
    const [mapRun] = listMapRuns(arn);
    const { succeeded, failed, aborted, pending, total } = mapRun?.itemCounts ?? {};
    assert.deepEqual(
      { succeeded, failed, aborted, pending, total },
      { succeeded: 1, failed: 2, aborted: 1, pending: 2, total: 6 },
    );
    assert.equal(mapRun?.status, "FAILED");
    assert.deepEqual(types(arn).slice(-4), ["MapRunStarted", "MapRunFailed", "MapStateFailed", "ExecutionFailed"]);

    const folder = `results/${mapRun?.mapRunArn.split(":").at(-1)}`;
    assert.deepEqual(
      await aws.keys(folder),
      ["FAILED_0.json", "PENDING_0.json", "SUCCEEDED_0.json", "manifest.json"].map((name) => `${folder}/${name}`),
    );
    const read = async (name: string) => JSON.parse(await aws.get(`${folder}/${name}`)) as JsonObject[];
    assert.deepEqual(
      (await read("FAILED_0.json")).map(({ Status, Input, Error: name }) => [Status, Input, name]),
      [
        ["FAILED", "1", "Odd"],
        ["ABORTED", "2", undefined],
        ["FAILED", "3", "Odd"],
      ],
    );
    assert.deepEqual(await read("PENDING_0.json"), [
      { Input: "6", InputDetails: { Included: true }, Status: "PENDING" },
      { Input: "8", InputDetails: { Included: true }, Status: "PENDING" },
    ]);
  });

  test("writes all about its children, and a list of the files", async (context) => {
    const machine = rows({ ...writer(), ToleratedFailurePercentage: 100 });
    const { run, listMapRuns, listExecutions } = testInterpreter(context, { machine }, { ...over, aws: aws.settings });
    const { output, executionArn } = await run("machine", [2, 1]);
    const mapRunArn = listMapRuns(executionArn)[0]?.mapRunArn ?? "";
    const folder = `results/${mapRunArn.split(":").at(-1)}`;
    assert.deepEqual(JSON.parse(output ?? ""), {
      MapRunArn: mapRunArn,
      ResultWriterDetails: { Bucket: "bucket", Key: `${folder}/manifest.json` },
    });
    const manifest = JSON.parse(await aws.get(`${folder}/manifest.json`)) as Record<string, JsonValue>;
    const succeeded = await aws.get(`${folder}/SUCCEEDED_0.json`);
    const failed = await aws.get(`${folder}/FAILED_0.json`);
    assert.deepEqual(manifest, {
      DestinationBucket: "bucket",
      MapRunArn: mapRunArn,
      ResultFiles: {
        SUCCEEDED: [{ Key: `${folder}/SUCCEEDED_0.json`, Size: Buffer.byteLength(succeeded) }],
        FAILED: [{ Key: `${folder}/FAILED_0.json`, Size: Buffer.byteLength(failed) }],
        PENDING: [],
      },
    });
    const [child] = listExecutions({ mapRunArn });
    assert.deepEqual(JSON.parse(succeeded), [
      {
        ExecutionArn: child?.executionArn,
        Input: "2",
        InputDetails: { Included: true },
        Name: child?.name,
        Output: "20",
        OutputDetails: { Included: true },
        RedriveCount: 0,
        RedriveStatus: "NOT_REDRIVABLE",
        RedriveStatusReason: "Execution is SUCCEEDED and cannot be redriven",
        StartDate: child?.startDate.toISOString(),
        StateMachineArn: child?.stateMachineArn,
        Status: "SUCCEEDED",
        StopDate: child?.stopDate?.toISOString(),
      },
    ]);
  });

  test("writes outputs only, line by line, into as many files as they need", async (context) => {
    const machine = rows(writer({ Transformation: "COMPACT", OutputType: "JSONL" }));
    const { run, listMapRuns } = testInterpreter(
      context,
      { machine },
      { ...over, aws: aws.settings, resultFileBytes: 8 },
    );
    const { executionArn } = await run("machine", [10, 20, 30]);
    const folder = `results/${listMapRuns(executionArn)[0]?.mapRunArn.split(":").at(-1)}`;
    assert.equal(await aws.get(`${folder}/SUCCEEDED_0.jsonl`), "100\n200");
    assert.equal(await aws.get(`${folder}/SUCCEEDED_1.jsonl`), "300");
  });

  test("fails when its results cannot be written", async (context) => {
    const machine = rows({
      ResultWriter: { Resource: "arn:aws:states:::s3:putObject", Arguments: { Bucket: "nowhere", Prefix: "p" } },
    });
    const { run, types } = testInterpreter(context, { machine }, { ...over, aws: aws.settings });
    const { error, executionArn } = await run("machine", [2]);
    assert.equal(error, "States.ResultWriterFailed");
    assert.deepEqual(types(executionArn).slice(-3), ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]);
  });

  test("reads JSON lines, and no more of them than it should", async (context) => {
    await aws.put("rows.jsonl", '2\n{"a":"ü"}\n\n4\n6');
    const machine = rows(reader({ InputType: "JSONL", MaxItems: "{% 3 %}" }, "{% $states.input.key %}"), {
      Same: { Type: "Pass" },
    });
    const { run } = testInterpreter(context, { machine }, { aws: aws.settings });
    assert.equal((await run("machine", { key: "rows.jsonl" })).output, '[2,{"a":"ü"},4]');
    const { error, executionArn } = await run("machine", { key: "nothing" });
    assert.equal(error, "States.ItemReaderFailed");
    assert.ok(executionArn);
  });

  test("puts items into batches by number and by bytes", async (context) => {
    const batches = (ItemBatcher: JsonObject) => rows({ ItemBatcher }, { Same: { Type: "Pass" } });
    const { run, listMapRuns } = testInterpreter(context, {
      number: batches({ MaxItemsPerBatch: 2, BatchInput: { by: "{% $count($states.input) %}" } }),
      bytes: batches({ MaxInputBytesPerBatch: Buffer.byteLength('{"Items":["aaaa","bbbb"]}') }),
    });
    const { output, executionArn } = await run("number", ["a", "b", "c"]);
    assert.equal(output, '[{"BatchInput":{"by":3},"Items":["a","b"]},{"BatchInput":{"by":3},"Items":["c"]}]');
    const { itemCounts, executionCounts } = listMapRuns(executionArn)[0] ?? {};
    assert.deepEqual([itemCounts?.succeeded, executionCounts?.succeeded], [3, 2]);
    assert.equal(
      (await run("bytes", ["aaaa", "bbbb", "ccccc"])).output,
      '[{"Items":["aaaa","bbbb"]},{"Items":["ccccc"]}]',
    );
  });

  test("fails when its result has more than 256 KiB", async (context) => {
    const machine = rows({}, { Say: { Type: "Pass", Output: `{% $pad('', ${payloadBytes / 2}, 'x') %}` } });
    const { run } = testInterpreter(context, { machine });
    assert.equal((await run("machine", [1])).status, "SUCCEEDED");
    assert.equal((await run("machine", [1, 2])).error, "States.DataLimitExceeded");
  });

  test("a child that would get more than 256 KiB ends the run", async (context) => {
    const machine = rows({ ItemSelector: `{% $pad('', ${payloadBytes}, 'x') %}` });
    const { run, listMapRuns } = testInterpreter(context, { machine }, over);
    const { error, executionArn } = await run("machine", [2, 4]);
    assert.equal(error, "States.DataLimitExceeded");
    assert.equal(listMapRuns(executionArn)[0]?.status, "FAILED");
  });

  test("ends its children when its execution is stopped", async (context) => {
    const { start, stopExecution, finished, listMapRuns } = testInterpreter(
      context,
      { machine: rows({ MaxConcurrency: 1 }) },
      { lambdas: { work: () => new Promise<JsonValue>(() => undefined) } },
    );
    const arn = start("machine", [1, 2]);
    await settle();
    stopExecution(arn);
    await finished(arn);
    await settle();
    const [mapRun] = listMapRuns(arn);
    const { aborted, pending, running } = mapRun?.itemCounts ?? {};
    assert.deepEqual([mapRun?.status, aborted, pending, running], ["ABORTED", 1, 1, 0]);
  });

  test("runs many children", async (context) => {
    const { run } = testInterpreter(context, { machine: rows({ MaxConcurrency: 0 }, { Same: { Type: "Pass" } }) });
    const items = Array.from({ length: 5000 }, (_, index) => index);
    assert.deepEqual(JSON.parse((await run("machine", items)).output ?? ""), items);
  });
});
