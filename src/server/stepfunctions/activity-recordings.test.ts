import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import {
  DescribeExecutionCommand,
  GetActivityTaskCommand,
  GetExecutionHistoryCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  type GetActivityTaskOutput,
  type HistoryEvent,
} from "@aws-sdk/client-sfn";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { testKeys } from "../../../test/fakes/endpoint.ts";
import { startInterpretedEndpoint } from "../../../test/fakes/interpreted-endpoint.ts";
import { createScaledTime } from "../../../test/fakes/scaled-time.ts";
import { fromJsonPath } from "../../../test/asl/recordings/from-jsonpath.ts";
import { eventTree, plainEvents } from "../../../test/asl/recordings/normalise.ts";
import { haveRecordings, readRecordings, readTemplate } from "../../../test/asl/recordings/read-recordings.ts";

/** What a worker does with its task, over the SDK. */
type Work = (client: SFNClient, task: GetActivityTaskOutput) => Promise<unknown>;

const arn = "arn:aws:states:eu-west-1:123456789012:";
const skip = haveRecordings ? false : "the recordings are not on this machine";

const succeed: Work = (client, { taskToken = "", input = "" }) =>
  client.send(new SendTaskSuccessCommand({ taskToken, output: input }));
const fail: Work = (client, { taskToken = "", input = "" }) =>
  client.send(new SendTaskFailureCommand({ taskToken, error: "Programmatic Error", cause: input }));
const beatAndSucceed: Work = async (client, task) => {
  await client.send(new SendTaskHeartbeatCommand({ taskToken: task.taskToken ?? "" }));
  await succeed(client, task);
};
const silence: Work = async () => {};

/** Runs a machine with an activity behind our endpoint, with a worker that speaks as any worker does. */
async function run(template: string, work: Work | undefined, workerName?: string): Promise<readonly HistoryEvent[]> {
  const directory = await mkdtemp(join(tmpdir(), "rowcall-activities-"));
  const machine = readTemplate(template) as JsonObject;
  const [task] = Object.values(machine["States"] as Record<string, Record<string, JsonValue>>);
  task!["Resource"] = `${arn}activity:lookup`;
  const endpoint = await startInterpretedEndpoint({
    directory,
    // Only silence takes time.
    ...createScaledTime(work === silence ? 20 : 1),
    machines: { recorded: fromJsonPath(machine) },
    activities: work === undefined ? [] : ["lookup"],
  });
  const client = new SFNClient({ endpoint: endpoint.url, region: "eu-west-1", credentials: testKeys });
  try {
    const { executionArn } = await client.send(
      new StartExecutionCommand({
        stateMachineArn: `${arn}stateMachine:recorded`,
        name: "execution-name",
        input: JSON.stringify({ Value1: "HelloWorld" }),
      }),
    );
    if (work !== undefined) {
      const named = workerName === undefined ? {} : { workerName };
      const activityArn = `${arn}activity:lookup`;
      await work(client, await client.send(new GetActivityTaskCommand({ activityArn, ...named })));
    }
    while ((await client.send(new DescribeExecutionCommand({ executionArn }))).status === "RUNNING") await wait(5);
    const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    return events;
  } finally {
    client.destroy();
    await endpoint.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function recordedEvents(file: string, name: string): readonly JsonObject[] {
  const recording = readRecordings(file).get(name);
  assert.ok(recording !== undefined, `${name} is confirmed to be AWS's own`);
  return (recording["get_execution_history"] as { readonly events: readonly JsonObject[] }).events;
}

const placeholders = new Map([
  [`${arn}activity:lookup`, "activity_arn"],
  ["arn:aws:iam::123456789012:role/rowcall", "snf_role_arn"],
]);

describe("what AWS recorded of activities, when a worker speaks to our endpoint", { skip }, () => {
  const consumer = "BASE_ID_ACTIVITY_CONSUMER";
  const base = "activities/base_activity_task";
  const cases: readonly (readonly [name: string, template: string, work: Work | undefined, worker?: string])[] = [
    ["", base, succeed, consumer],
    ["_failure", base, fail, consumer],
    ["_with_heartbeat", `${base}_heartbeat`, beatAndSucceed, consumer],
    ["_on_deleted", base, undefined],
    ["_no_worker_name", base, succeed],
    ["_start_timeout", `${base}_timeout`, silence, consumer],
  ];
  for (const [name, template, work, worker] of cases) {
    it(`test_activity_task${name}`, async () => {
      const theirs = recordedEvents("test_activities", `TestActivities::test_activity_task${name}`);
      const ours = await run(template, work, worker);
      assert.deepEqual(eventTree(plainEvents(ours, placeholders)), eventTree(plainEvents(theirs, new Map())));
      assert.equal(ours.length, theirs.length);
    });
  }

  // Recorded with a queue in place of a worker: of what a lost sign of life comes to, the words are the same.
  for (const name of ["heartbeat_timeout", "heartbeat_path_timeout", "heartbeat_no_timeout"]) {
    it(`test_${name}`, async () => {
      const theirs = recordedEvents("test_heartbeats", `TestHeartbeats::test_${name}`);
      const ours = await run(`${base}_heartbeat`, silence, consumer);
      const ends = (events: readonly unknown[]): readonly unknown[] =>
        plainEvents(events.slice(-2), new Map()).map(({ type, details }) => [
          type.replace("Activity", "Task"),
          (details as JsonObject)["error"],
        ]);
      assert.deepEqual(ends(ours), ends(theirs));
    });
  }
});
