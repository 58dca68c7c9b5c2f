import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { aContext, contractConcurrency, invokerContract, refusal } from "../../test/contracts/invoker-contract.ts";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import {
  startStepFunctions,
  testStateMachine,
  type StepFunctionsService,
  type TestEnd,
  type TestExecution,
  type TestMachine,
} from "../../test/fakes/stepfunctions-service.ts";
import type { AgentInput, Invoker } from "../core/agent.ts";
import { RowcallError } from "../core/errors.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import type { Timing } from "./stepfunctions/execution-poller.ts";
import { openStepFunctionsAgent } from "./stepfunctions-agent.ts";
import type { HostedEnvironment } from "./agent-host.ts";

type Config = Readonly<Record<string, unknown>>;

const own = { state_machine_arn: testStateMachine };

// A hundred times as fast as the world.
const timing: Timing = {
  clock: () => Date.now() * 100,
  monotonic: () => performance.now() * 100,
  wait: (ms, signal) => wait(ms / 100, undefined, { signal }),
};

async function open(
  { aws }: StepFunctionsService,
  config: Config = own,
  over: Partial<HostedEnvironment> = {},
): Promise<Invoker> {
  const environment = anEnvironment({ aws, concurrency: contractConcurrency, ...over });
  return openStepFunctionsAgent(agentOf("stepfunctions", config), environment, timing);
}

const succeeded = (output: JsonValue): TestEnd => ({ status: "SUCCEEDED", output: JSON.stringify(output) });

function contractRun(input: JsonValue): TestEnd | undefined {
  const text = isJsonObject(input) ? input["text"] : undefined;
  if (text === "hang!") return undefined;
  if (text === "fail!") return { status: "FAILED", error: "Lookup.Refused", cause: refusal };
  return succeeded({ structured_output: { echo: text ?? null } });
}

invokerContract("stepfunctions", async () => {
  const service = await startStepFunctions({ run: contractRun });
  const hung = new Promise<void>((resolve) => {
    service.events.on("started", ({ end }: TestExecution) => {
      if (end === undefined) resolve();
    });
  });
  const stopped = once(service.events, "stopped");
  return {
    invoker: await open(service),
    echo: (text) => ({ text }),
    fail: () => ({ text: "fail!" }),
    hang: () => ({ text: "hang!" }),
    hanging: () => hung,
    released: async () => void (await stopped),
    close: service.close,
  };
});

/** Runs a test with an agent and its other side, and closes both. */
async function withAgent(
  machine: TestMachine,
  use: (invoker: Invoker, service: StepFunctionsService) => Promise<void>,
  config: Config = own,
): Promise<void> {
  const service = await startStepFunctions(machine);
  try {
    const invoker = await open(service, config);
    try {
      await use(invoker, service);
    } finally {
      await invoker.close();
    }
  } finally {
    await service.close();
  }
}

interface Called {
  readonly reply?: JsonValue;
  readonly error?: RowcallError;
  readonly executions: readonly TestExecution[];
  readonly calls: readonly string[];
}

async function call(machine: TestMachine, input: AgentInput = {}, config: Config = own): Promise<Called> {
  let called: Called | undefined;
  await withAgent(
    machine,
    async (invoker, service) => {
      const context = aContext();
      const outcome = await invoker.invoke(input, context).then(
        (reply) => ({ reply }),
        (error: RowcallError) => ({ error }),
      );
      called = { ...outcome, executions: [...service.executions.values()], calls: service.calls };
    },
    config,
  );
  assert.ok(called);
  return called;
}

const answering: TestMachine = { run: () => succeeded({ structured_output: { echo: 1 } }) };

test("starts an execution with the mapped row as its input, and replies with its output", async () => {
  const input = { postcode: "E8 4LX", floor: 3 };
  const { reply, executions } = await call(answering, input);
  assert.deepEqual(reply, { structured_output: { echo: 1 } });
  assert.deepEqual(
    executions.map(({ input: text }) => JSON.parse(text) as unknown),
    [input],
  );
  assert.match(executions[0]?.name ?? "", /^run-1-0-1-[0-9a-f]{16}$/);
});

test("starts the version or alias that the ARN names, and follows its execution", async () => {
  for (const qualifier of ["prod", "7"]) {
    const arn = `${testStateMachine}:${qualifier}`;
    const { reply, executions } = await call(answering, {}, { state_machine_arn: arn });
    assert.deepEqual(reply, { structured_output: { echo: 1 } });
    assert.equal(executions[0]?.startedWith, arn);
    assert.match(executions[0]?.arn, /:execution:lookup:run-1-0-1-/);
  }
});

test("takes the batch's state machine where the agent names none, and says so when there is none", async (t) => {
  const service = await startStepFunctions(answering);
  t.after(service.close);
  const invoker = await open(service, {}, { stateMachineArn: testStateMachine });
  assert.deepEqual(await invoker.invoke({}, aContext()), { structured_output: { echo: 1 } });
  await invoker.close();
  await assert.rejects(open(service, {}), { code: "AGENT_INVALID", hint: /agent_state_machine_arn in the batch file/ });
  await assert.rejects(open(service, {}, { stateMachineArn: "lookup" }), {
    code: "AGENT_INVALID",
    message: "agent_state_machine_arn is no state machine's ARN: lookup",
  });
});

test("a failed execution is AGENT_FAILED with its error and its cause in readable words", async () => {
  const causes: readonly (readonly [error: string | undefined, cause: string | undefined, message: string])[] = [
    ["Lookup.Refused", "no such postcode", "Lookup.Refused: no such postcode"],
    ["Lookup.Refused", undefined, "Lookup.Refused"],
    [undefined, undefined, "The execution failed without a message"],
    [
      "ValueError",
      '{"errorMessage":"no such postcode","errorType":"ValueError","stackTrace":[]}',
      "ValueError: no such postcode",
    ],
    [
      "States.TaskFailed",
      JSON.stringify({ ExecutionArn: "arn:…", Status: "FAILED", Error: "E", Cause: '{"errorMessage":"deep"}' }),
      "States.TaskFailed: E: deep",
    ],
    ["E", '{"other":1}', 'E: {"other":1}'],
  ];
  for (const [error, cause, message] of causes) {
    const end = { status: "FAILED", ...(error && { error }), ...(cause && { cause }) } as const;
    const called = await call({ run: () => end });
    assert.deepEqual([called.error?.code, called.error?.retryable], ["AGENT_FAILED", true]);
    assert.equal(called.error?.message, message);
  }
});

test("a state that hands on too much is explained", async () => {
  const end = { status: "FAILED", error: "States.DataLimitExceeded", cause: "…" } as const;
  assert.match((await call({ run: () => end })).error?.hint ?? "", /256 KiB/);
});

test("an execution that ran out of time is TIMEOUT", async () => {
  for (const end of [
    { status: "TIMED_OUT" },
    { status: "FAILED", error: "States.Timeout", cause: "…" },
    { status: "ABORTED", error: "Rowcall.Timeout", cause: "…" },
  ] as const) {
    const { error } = await call({ run: () => end });
    assert.deepEqual([error?.code, error?.message], ["TIMEOUT", "Execution timeout"]);
  }
});

test("an execution that somebody stopped is not tried again", async () => {
  const { error } = await call({ run: () => ({ status: "ABORTED", error: "Ops", cause: "maintenance" }) });
  assert.deepEqual([error?.code, error?.retryable], ["AGENT_FAILED", false]);
  assert.equal(error?.message, "The execution was stopped: Ops: maintenance");
});

test("takes the answer from where output says", async () => {
  const run = (): TestEnd => succeeded({ Payload: { price: 12 } });
  const { reply } = await call({ run }, {}, { ...own, output: "$.Payload" });
  assert.deepEqual(reply, { structured_output: { price: 12 } });
});

test("an output that AWS does not show is OUTPUT_INVALID", async () => {
  assert.equal((await call({ run: () => ({ status: "SUCCEEDED" }) })).error?.code, "OUTPUT_INVALID");
});

test("an attempt that is made again finds its execution, ended or not, and starts no other", async () => {
  await withAgent({}, async (first, service) => {
    const started = once(service.events, "started") as Promise<[TestExecution]>;
    // The process of this attempt goes away: nobody stops the execution.
    const lost = assert.rejects(first.invoke({ id: 1 }, aContext()));
    const [{ arn }] = await started;
    await first.close();
    await lost;
    for (const isOver of [false, true]) {
      const again = await open(service);
      if (isOver) service.finish(arn, succeeded({ n: 7 }));
      const reply = again.invoke({ id: 1 }, aContext());
      if (!isOver) {
        while (service.calls.filter((name) => name === "DescribeExecution").length < 1)
          await once(service.events, "request");
        await again.close();
        await assert.rejects(reply);
      } else {
        assert.deepEqual(await reply, { n: 7 });
        await again.close();
      }
    }
    assert.equal(service.executions.size, 1);
  });
});

test("another attempt, another row and another input have executions of their own", async () => {
  await withAgent(answering, async (invoker, service) => {
    await invoker.invoke({ id: 1 }, aContext());
    await invoker.invoke({ id: 1 }, aContext({ attempt: 2 }));
    await invoker.invoke({ id: 1 }, aContext({ row: 1 }));
    await invoker.invoke({ id: 2 }, aContext());
    assert.equal(service.executions.size, 4);
  });
});

for (const [code, error] of [
  ["TIMEOUT", "Rowcall.Timeout"],
  ["INTERRUPTED", "Rowcall.Interrupted"],
] as const) {
  test(`an attempt that ends with ${code} stops its execution and says why`, async () => {
    await withAgent({}, async (invoker, service) => {
      const aborter = new AbortController();
      const context = aContext({ signal: aborter.signal });
      const started = once(service.events, "started") as Promise<[TestExecution]>;
      const reason = new RowcallError(code, "that is why");
      const rejected = assert.rejects(invoker.invoke({}, context), (thrown) => thrown === reason);
      const [{ arn }] = await started;
      aborter.abort(reason);
      await rejected;
      assert.deepEqual(service.executions.get(arn)?.end, { status: "ABORTED", error, cause: "that is why" });
      assert.deepEqual(
        context.steps.map(({ name, status, detail }) => [name, status, detail]),
        [[`execution ${arn}`, "failed", "stopped"]],
      );
    });
  });
}

test("an attempt whose execution an interruption stopped begins anew when it is made again", async () => {
  await withAgent({}, async (invoker, service) => {
    const aborter = new AbortController();
    const started = once(service.events, "started");
    const rejected = assert.rejects(invoker.invoke({}, aContext({ signal: aborter.signal })));
    await started;
    aborter.abort(new RowcallError("INTERRUPTED", "The run was interrupted"));
    await rejected;
    const startedAnew = once(service.events, "started") as Promise<[TestExecution]>;
    const reply = invoker.invoke({}, aContext());
    service.finish((await startedAnew)[0].arn, succeeded({ n: 1 }));
    assert.deepEqual(await reply, { n: 1 });
    assert.equal(service.executions.size, 2);
  });
});

test("an attempt that ends while its execution is being started stops it all the same", async () => {
  const aborter = new AbortController();
  const run = (): undefined => aborter.abort(new Error("now")) as undefined;
  await withAgent({ run }, async (invoker, service) => {
    await assert.rejects(invoker.invoke({}, aContext({ signal: aborter.signal })), new Error("now"));
    assert.deepEqual(
      [...service.executions.values()].map(({ end }) => end?.status),
      ["ABORTED"],
    );
  });
});

test("an execution that is not seen yet just after its start is waited for", async () => {
  let looks = 0;
  const { reply } = await call({
    ...answering,
    refuse: (operation) =>
      operation === "DescribeExecution" && (looks += 1) < 3
        ? { type: "ExecutionDoesNotExist", message: "Execution Does Not Exist" }
        : undefined,
  });
  assert.deepEqual(reply, { structured_output: { echo: 1 } });
});

test("throttled looks are repeated, more slowly", async () => {
  let looks = 0;
  const { reply } = await call({
    ...answering,
    refuse: (operation) =>
      operation === "DescribeExecution" && (looks += 1) < 4
        ? { type: "ThrottlingException", message: "Rate exceeded" }
        : undefined,
  });
  assert.deepEqual(reply, { structured_output: { echo: 1 } });
  assert.equal(looks, 4);
});

test("looks that are not allowed end the attempt", async () => {
  const { error } = await call({
    ...answering,
    refuse: (operation) =>
      operation === "DescribeExecution" ? { type: "AccessDeniedException", message: "no" } : undefined,
  });
  assert.deepEqual([error?.code, error?.retryable], ["AWS_DENIED", false]);
});

test("what goes wrong with a start has the code that says what to do", async () => {
  const cases = [
    ["StateMachineDoesNotExist", "AWS_DENIED"],
    ["AccessDeniedException", "AWS_DENIED"],
    ["ExpiredTokenException", "AWS_DENIED"],
    ["StateMachineDeleting", "AWS_DENIED"],
    ["ExecutionLimitExceeded", "AWS_FAILED"],
    ["InvalidExecutionInput", "ROW_INVALID"],
  ] as const;
  for (const [type, code] of cases) {
    const { error } = await call({
      refuse: (operation) => (operation === "StartExecution" ? { type, message: "no" } : undefined),
    });
    assert.equal(error?.code, code, type);
  }
});

test("an input above 256 KiB fails its row before anything is started", async () => {
  const { error, executions } = await call(answering, { text: "ß".repeat(128 * 1024) });
  assert.equal(error?.code, "ROW_INVALID");
  assert.match(error.message, /it is 262155 bytes of JSON/);
  assert.equal(executions.length, 0);
});

test("many executions at once are found in lists", async () => {
  const rows = 60;
  await withAgent({}, async (invoker, service) => {
    const replies = Array.from({ length: rows }, (_, row) => invoker.invoke({ row }, aContext({ row })));
    while (service.executions.size < rows) await once(service.events, "request");
    for (const { arn, input } of service.executions.values())
      service.finish(arn, succeeded(JSON.parse(input) as JsonValue));
    assert.deepEqual(
      await Promise.all(replies),
      Array.from({ length: rows }, (_, row) => ({ row })),
    );
    assert.ok(service.calls.filter((name) => name === "ListExecutions").length > 1);
  });
});

test("refuses, when it is opened, a state machine that is not there, may not be used, or is an express one", async (t) => {
  const cases = [
    [
      { refuse: () => ({ type: "StateMachineDoesNotExist", message: "State Machine Does Not Exist: 'x'" }) },
      "AWS_DENIED",
    ],
    [{ refuse: () => ({ type: "AccessDeniedException", message: "no" }) }, "AWS_DENIED"],
    [{ type: "EXPRESS" }, "AGENT_INVALID"],
  ] as const;
  for (const [machine, code] of cases) {
    const service = await startStepFunctions(machine);
    t.after(service.close);
    await assert.rejects(open(service), { code, hint: /./ });
  }
});

test("an express state machine that shows only when it is started is refused too", async () => {
  let probed = false;
  const { error } = await call({
    ...answering,
    type: "EXPRESS",
    refuse: () => {
      if (probed) return undefined;
      probed = true;
      return { type: "KmsThrottlingException", message: "later" };
    },
  });
  assert.equal(error?.code, "AGENT_INVALID");
  assert.match(error.hint ?? "", /standard one/);
});

test("notes the execution, with where the console shows it", async () => {
  await withAgent(answering, async (invoker, service) => {
    const context = aContext();
    await invoker.invoke({}, context);
    const [arn] = service.executions.keys();
    assert.deepEqual(
      context.steps.map(({ name, status, detail }) => [name, status, detail]),
      [[`execution ${arn}`, "done", "SUCCEEDED"]],
    );
  });
});

test("previews state machine and input, and names the endpoint's host", async () => {
  await withAgent(answering, async (invoker, service) => {
    assert.deepEqual(invoker.preview?.({ id: 1 }), { state_machine_arn: testStateMachine, input: { id: 1 } });
    assert.equal(invoker.targetHost?.({ id: 1 }), new URL(service.origin).host);
    assert.equal(invoker.outlivesProcess, true);
    assert.equal(service.executions.size, 0);
  });
});

test("refuses a wrong config when it is opened", async (t) => {
  const service = await startStepFunctions({});
  t.after(service.close);
  for (const config of [
    { state_machine_arn: "lookup" },
    { state_machine_arn: "arn:aws:states:eu-west-1:...:stateMachine:lookup" },
    { state_machine_arn: "arn:aws:states:eu-west-1:123456789012:execution:lookup:1" },
    { state_machine_arn: `${testStateMachine}/map` },
    { state_machine_arm: testStateMachine },
    { state_machine_arn: testStateMachine, output: "$[" },
  ]) {
    await assert.rejects(open(service, config), { code: "AGENT_INVALID" });
  }
  assert.deepEqual(service.calls, []);
});
