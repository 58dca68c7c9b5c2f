import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { openTestEndpoint, type TestEndpoint } from "../../../test/fakes/endpoint.ts";
import { createWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import {
  assertAlike,
  hasRecordings,
  readRecordings,
  recordingsFolder,
  type Recorded,
} from "../../../test/project/aws-recordings.ts";

type Body = Record<string, unknown>;

/** How a recorded case is brought about here. */
interface Case {
  readonly file: string;
  /** Last part of the recorded id, or how it begins. */
  readonly id: string;
  /** Our answers, by the names of the recorded ones. */
  reproduce(recorded: Recorded, id: string): Promise<Body>;
  /** Recorded answers that have no counterpart here: state machines are not created, and have no Pass and Wait states. */
  readonly leftOut?: readonly string[];
}

const skip = hasRecordings ? false : `there is no ${recordingsFolder}`;

describe("answers are those that AWS Step Functions was recorded with", { skip }, () => {
  let workspace: Workspace;
  let endpoint: TestEndpoint;
  const checked = { cases: 0, answers: 0 };

  before(async () => {
    workspace = await createWorkspace(2);
    const agent = JSON.parse(await workspace.read("registry/agents/doubler_v1.0.0.json")) as Body;
    const aliases = Array.from({ length: 12 }, (_, i) => `doubler-${i}`);
    await workspace.write("registry/agents/doubler_v1.0.0.json", { ...agent, aliases });
    const errors = new URL("../../core/errors.ts", import.meta.url).href;
    await workspace.write(
      "late.mjs",
      `import { RowcallError } from ${JSON.stringify(errors)}; export default async () => { throw new RowcallError("TIMEOUT", "Execution timeout"); };`,
    );
    await workspace.write("batch-late.json", {
      agent: "late",
      execution_config: { tolerated_failure_count: 0, max_concurrency: 1, retry_strategy: { max_attempts: 0 } },
    });
    await workspace.write("batch-strict.json", {
      agent: "doubler",
      execution_config: { tolerated_failure_count: 0, max_concurrency: 1 },
    });
    await workspace.write("registry/agents/late_v1.0.0.json", {
      ...agent,
      agent_name: "late",
      config: { module: workspace.at("late.mjs") },
    });
    endpoint = await openTestEndpoint(workspace);
  });
  after(async () => {
    await endpoint.close();
    await workspace.remove();
    assert.ok(checked.cases > 0, "no recorded case was checked");
    process.stderr.write(`Compared with AWS: ${checked.cases} recorded cases, ${checked.answers} answers\n`);
  });

  /** One request; an error is shown as boto3 shows it. */
  async function call(operation: string, body: Body): Promise<Body> {
    const response = await endpoint.post(operation, body);
    const answer = (await response.json()) as Body;
    if (response.ok) return answer;
    assert.equal(response.status, 400);
    const type = String(answer["__type"]).split("#")[1];
    return { Error: { Code: type, Message: answer["message"] }, message: answer["message"] };
  }

  /** What boto3's exception says. */
  async function exception(operation: string, body: Body): Promise<string> {
    const { Error: error } = (await call(operation, body)) as { Error: { Code: string; Message: string } };
    return `An error occurred (${error.Code}) when calling the ${operation} operation: ${error.Message}`;
  }

  const thrown = async (operation: string, body: Body): Promise<Body> => {
    const text = await exception(operation, body);
    return { exception: { exception_typename: /\((\w+)\)/.exec(text)?.[1], exception_value: text } };
  };
  const arn = (rest: string): string => `${endpoint.prefix}${rest}`;
  const machineArn = (): string => arn("stateMachine:doubler");
  const newName = (() => {
    let many = 0;
    return (): string => `case-${(many += 1)}`;
  })();
  const start = async (name: string, input = '{"n": 1}', machine = "doubler"): Promise<Body> =>
    call("StartExecution", { stateMachineArn: arn(`stateMachine:${machine}`), name, input });
  const ended = async (executionArn: unknown): Promise<Body> => {
    for (;;) {
      const execution = await call("DescribeExecution", { executionArn });
      if (execution["status"] !== "RUNNING") return execution;
      await wait(5);
    }
  };
  const runBatch = async (config: string): Promise<Body> => {
    const input = { config_s3_uri: config, input_csv_s3_uri: "rows.csv", output_s3_prefix: "out/" };
    const started = await start(newName(), JSON.stringify(input), "batch-processor-prod");
    return ended(started["executionArn"]);
  };
  const historyOf = async ({ executionArn }: Body): Promise<Body> => call("GetExecutionHistory", { executionArn });
  const pick = (body: Body, from: Recorded, answer: string): Body => {
    const recorded = from[answer] as Body;
    const [list = ""] = Object.keys(recorded).filter((key) => Array.isArray(recorded[key]));
    return { ...body, [list]: (body[list] as unknown[]).slice(0, (recorded[list] as unknown[]).length) };
  };

  const activities = "test_sfn_api_activities";
  const api = "test_sfn_api";
  const scenarios = "test_base_scenarios";
  const gone = "activity:gone";
  const nothing = "nothing:at-all";
  const created = "creation_resp";
  const cases: readonly Case[] = [
    {
      file: activities,
      id: "test_describe_deleted_activity",
      reproduce: async () => {
        await call("CreateActivity", { name: "gone" });
        await call("DeleteActivity", { activityArn: arn(gone) });
        return { no_such_activity: await call("DescribeActivity", { activityArn: arn(gone) }) };
      },
    },
    {
      file: activities,
      id: "test_get_activity_task_deleted",
      reproduce: async () => ({ no_such_activity: await call("GetActivityTask", { activityArn: arn(gone) }) }),
    },
    {
      file: activities,
      id: "test_describe_activity_invalid_arn",
      reproduce: () => thrown("DescribeActivity", { activityArn: "no_an_activity_arn" }),
    },
    {
      file: activities,
      id: "test_get_activity_task_invalid_arn",
      reproduce: () => thrown("GetActivityTask", { activityArn: "no_an_activity_arn" }),
    },
    {
      file: activities,
      id: "test_list_activities",
      reproduce: async (recorded) => {
        for (const name of ["one", "two", "three"]) await call("CreateActivity", { name });
        const listed = await call("ListActivities", {});
        return { list_activities_response: pick(listed, recorded, "list_activities_response") };
      },
    },
    {
      file: activities,
      id: "test_create_describe_delete_activity[",
      reproduce: async (_, id) => {
        const name = id.slice(id.indexOf("[") + 1, -1);
        const activityArn = arn(`activity:${name}`);
        return {
          create_activity_response: await call("CreateActivity", { name }),
          create_activity_response_duplicate: await call("CreateActivity", { name }),
          describe_activity_response: await call("DescribeActivity", { activityArn }),
          delete_activity_response: await call("DeleteActivity", { activityArn }),
          delete_activity_response_2: await call("DeleteActivity", { activityArn }),
        };
      },
    },
    {
      file: activities,
      id: "test_create_activity_invalid_name[",
      reproduce: async (recorded) => {
        const { message } = recorded["invalid_name"] as { message: string };
        const name = message.slice("Invalid Name: '".length, -1);
        return { invalid_name: await call("CreateActivity", { name }) };
      },
    },
    {
      file: api,
      id: "test_start_execution",
      leftOut: [created, "exec_hist_resp"],
      reproduce: async () => {
        const exec_resp = await start(newName(), '{"n": 2}', "doubler-1");
        await ended(exec_resp["executionArn"]);
        return {
          exec_resp,
          exec_list_resp: await call("ListExecutions", { stateMachineArn: arn("stateMachine:doubler-1") }),
        };
      },
    },
    {
      file: api,
      id: "test_invalid_start_execution_arn",
      leftOut: [created],
      reproduce: async () => ({ start_exec_of_deleted: await start("x", "{}", "statemachine_invalid") }),
    },
    {
      file: api,
      id: "test_invalid_start_execution_input",
      leftOut: [created],
      reproduce: async () => ({
        start_exec_str_inp: await start(newName(), "not some json"),
        start_exec_not_json_inp: await start(newName(), "{'not': 'json'"),
        start_res_empty: await start(newName(), ""),
        start_res_num: await start(newName(), "2"),
        start_res_str: await start(newName(), '"some text"'),
        start_res_null: await start(newName(), "null"),
      }),
    },
    {
      file: api,
      id: "test_stop_execution",
      leftOut: [created, "exec_hist_resp"],
      reproduce: async () => {
        const gate = Promise.withResolvers<void>();
        workspace.onRow = () => gate.promise;
        const exec_resp = await start(newName());
        const stop_res = await call("StopExecution", { executionArn: exec_resp["executionArn"] });
        gate.resolve();
        return { exec_resp, stop_res };
      },
    },
    {
      file: api,
      id: "test_list_sms",
      leftOut: [...[0, 1, 2].flatMap((i) => [`creation_resp_${i}`, `deletion_resp_${i}`]), "lst_resp_del_filter"],
      reproduce: async () => {
        const { stateMachines } = (await call("ListStateMachines", {})) as { stateMachines: unknown[] };
        return { lst_resp_filter: stateMachines.slice(0, 3) };
      },
    },
    {
      file: api,
      id: "test_describe_state_machine_for_execution",
      leftOut: [created],
      reproduce: async () => {
        const exec_resp = await start(newName());
        const { executionArn } = exec_resp;
        return { exec_resp, describe_resp: await call("DescribeStateMachineForExecution", { executionArn }) };
      },
    },
    {
      file: api,
      id: "test_describe_sm_arn_containing_punctuation",
      leftOut: [created],
      reproduce: async () => ({
        describe_resp: await call("DescribeStateMachine", { stateMachineArn: machineArn() }),
      }),
    },
    {
      file: api,
      id: "test_describe_nonexistent_sm",
      reproduce: async () => ({
        describe_nonexistent_sm: await exception("DescribeStateMachine", {
          stateMachineArn: arn(`stateMachine:${nothing}`),
        }),
      }),
    },
    {
      file: api,
      id: "test_describe_invalid_arn_sm",
      reproduce: () => thrown("DescribeStateMachine", { stateMachineArn: "not_a_valid_arn" }),
    },
    {
      file: api,
      id: "test_list_execution_no_such_state_machine",
      reproduce: () => thrown("ListExecutions", { stateMachineArn: arn(`stateMachine:${nothing}`) }),
    },
    {
      file: api,
      id: "test_list_execution_invalid_arn",
      reproduce: () => thrown("ListExecutions", { stateMachineArn: "invalid_state_machine_arn" }),
    },
    ...["test_describe_execution", "test_describe_execution_arn_containing_punctuation"].map((id) => ({
      file: api,
      id,
      leftOut: [created],
      reproduce: async () => {
        const exec_resp = await start(newName());
        return { exec_resp, describe_execution: await ended(exec_resp["executionArn"]) };
      },
    })),
    {
      file: api,
      id: "test_describe_execution_no_such_state_machine",
      reproduce: () => thrown("DescribeExecution", { executionArn: arn(`execution:${nothing}`) }),
    },
    {
      file: api,
      id: "test_describe_execution_invalid_arn",
      reproduce: () => thrown("DescribeExecution", { executionArn: "invalid_state_machine_arn" }),
    },
    {
      file: api,
      id: "test_get_execution_history_no_such_execution",
      reproduce: () => thrown("GetExecutionHistory", { executionArn: arn(`execution:${nothing}`) }),
    },
    {
      file: api,
      id: "test_get_execution_history_invalid_arn",
      reproduce: () => thrown("GetExecutionHistory", { executionArn: "invalid_state_machine_arn" }),
    },
    {
      file: api,
      id: "test_state_machine_status_filter",
      leftOut: [created],
      reproduce: async () => {
        const stateMachineArn = arn("stateMachine:doubler-2");
        const list = async (statusFilter?: string): Promise<Body> =>
          call("ListExecutions", { stateMachineArn, ...(statusFilter === undefined ? {} : { statusFilter }) });
        const list_before_execution = await list();
        const exec_resp = await start(newName(), '{"n": 1}', "doubler-2");
        await ended(exec_resp["executionArn"]);
        return {
          list_before_execution,
          exec_resp,
          list_succeeded_when_complete: await list("SUCCEEDED"),
          list_running_when_complete: await list("RUNNING"),
          list_executions_filter_exc: await list("succeeded"),
        };
      },
    },
    {
      file: api,
      id: "test_start_sync_execution",
      leftOut: ["creation_response"],
      reproduce: async () => ({
        start_sync_execution_error: await call("StartSyncExecution", { stateMachineArn: machineArn() }),
      }),
    },
    {
      file: api,
      id: "test_list_sms_pagination",
      leftOut: ["list-state-machines-invalid-param-short-nextToken"],
      reproduce: async () => {
        type Page = { stateMachines: unknown[]; nextToken?: string };
        const first = (await call("ListStateMachines", { maxResults: 10 })) as Page;
        const { nextToken } = first;
        const second = (await call("ListStateMachines", { maxResults: 3, nextToken })) as Page;
        return {
          "list-state-machines-page-1": first.stateMachines,
          "list-state-machines-page-2": second.stateMachines,
          "list-state-machines-invalid-param-too-large": await call("ListStateMachines", { maxResults: 1001 }),
          "list-state-machines-invalid-param-long-nextToken": await call("ListStateMachines", {
            nextToken: "x".repeat(1025),
          }),
        };
      },
    },
    {
      file: api,
      id: "test_list_executions_pagination",
      leftOut: ["list-executions-invalid-param-short-nextToken", "deletion_resp"],
      reproduce: async () => {
        const stateMachineArn = arn("stateMachine:doubler-3");
        for (let i = 0; i < 13; i += 1) {
          const { executionArn } = await start(newName(), '{"n": 1}', "doubler-3");
          await ended(executionArn);
        }
        const first = await call("ListExecutions", { stateMachineArn, maxResults: 10 });
        const { nextToken } = first;
        return {
          "list-executions-page-1": first,
          "list-executions-page-2": await call("ListExecutions", { stateMachineArn, maxResults: 10, nextToken }),
          "list-executions-invalid-param-too-large": await call("ListExecutions", {
            stateMachineArn,
            maxResults: 1001,
          }),
          "list-executions-invalid-param-long-nextToken": await call("ListExecutions", {
            stateMachineArn,
            nextToken: "x".repeat(3097),
          }),
        };
      },
    },
    {
      file: api,
      id: "test_start_execution_idempotent",
      leftOut: [created],
      reproduce: async () => {
        const gate = Promise.withResolvers<void>();
        workspace.onRow = () => gate.promise;
        const name = newName();
        const exec_resp = await start(name);
        const exec_resp_idempotent = await start(name);
        assert.deepEqual(exec_resp_idempotent, exec_resp);
        const start_exec_already_exists = await start(name, '{"n": 2}');
        const stop_res = await call("StopExecution", { executionArn: exec_resp["executionArn"] });
        gate.resolve();
        return { exec_resp, exec_resp_idempotent, start_exec_already_exists, stop_res };
      },
    },
    {
      file: "test_sfn_api_map_run",
      id: "test_list_map_runs_and_describe_map_run",
      reproduce: async () => {
        const { executionArn } = await runBatch("batch-strict.json");
        const list_map_runs = await call("ListMapRuns", { executionArn });
        const [mapRun] = list_map_runs["mapRuns"] as Body[];
        return {
          list_map_runs,
          describe_map_run: await call("DescribeMapRun", { mapRunArn: mapRun?.["mapRunArn"] }),
        };
      },
    },
    {
      file: scenarios,
      id: "test_map_item_reader_base_csv_headers_first_line",
      reproduce: async () => ({ get_execution_history: await historyOf(await runBatch("batch-strict.json")) }),
    },
    {
      file: scenarios,
      id: "test_map_item_reader_csv_max_items_paths[-1]",
      reproduce: async () => ({ get_execution_history: await historyOf(await runBatch("batch-late.json")) }),
    },
    {
      file: "test_timeouts",
      id: "test_fixed_timeout_service_lambda",
      reproduce: async () => {
        const { executionArn } = await start(newName(), "{}", "late");
        return { get_execution_history: await historyOf(await ended(executionArn)) };
      },
    },
  ];

  const check = async ({ file, id, reproduce, leftOut = [] }: Case): Promise<void> => {
    const recordings = await readRecordings(file);
    const found = [...recordings].filter(([name]) => (id.endsWith("[") ? name.startsWith(id) : name === id));
    assert.ok(found.length > 0, `${file} has no ${id} that is confirmed to be AWS's own`);
    for (const [name, recorded] of found) {
      workspace.onRow = () => {};
      const ours = await reproduce(recorded, name);
      assert.deepEqual([...Object.keys(ours), ...leftOut].toSorted(), Object.keys(recorded).toSorted(), name);
      for (const [answer, body] of Object.entries(ours)) assertAlike(recorded[answer], body, `${name} ${answer}`);
      checked.cases += 1;
      checked.answers += Object.keys(ours).length;
    }
  };
  for (const one of cases) it(one.id, () => check(one));
});
