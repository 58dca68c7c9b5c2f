import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { aContext, contractConcurrency, invokerContract, refusal } from "../../test/contracts/invoker-contract.ts";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import {
  startLambda,
  testCredentials,
  type Invocation,
  type LambdaAnswer,
  type LambdaService,
} from "../../test/fakes/lambda-service.ts";
import type { AgentInput, Invoker } from "../core/agent.ts";
import type { AwsSettings } from "../aws/aws.ts";
import type { RowcallError } from "../core/errors.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import { openLambdaAgent } from "./lambda-agent.ts";

type Config = Readonly<Record<string, unknown>>;

const now = Date.parse("2025-10-18T05:30:00Z");
const lookup = { function: "lookup" };

async function open(aws: AwsSettings, config: Config = lookup): Promise<Invoker> {
  return openLambdaAgent(
    agentOf("lambda", config),
    anEnvironment({ aws, concurrency: contractConcurrency }),
    () => now,
  );
}

function contractAnswer({ payload }: Invocation): LambdaAnswer {
  const text = isJsonObject(payload) ? payload["text"] : undefined;
  if (text === "hang!") return "hang";
  if (text === "fail!") return { functionError: { errorType: "Error", errorMessage: refusal, stackTrace: [] } };
  return { payload: { structured_output: { echo: text } } };
}

invokerContract("lambda", async () => {
  const service = await startLambda(contractAnswer);
  const hung = new Promise<void>((resolve) => {
    service.events.on("request", ({ body }: { body: string }) => {
      if (body.includes("hang!")) resolve();
    });
  });
  const closed = once(service.events, "closed");
  return {
    invoker: await open(service.aws),
    echo: (text) => ({ text }),
    fail: () => ({ text: "fail!" }),
    hang: () => ({ text: "hang!" }),
    hanging: () => hung,
    released: async () => void (await closed),
    close: service.close,
  };
});

/** Runs a test with an agent and its other side, and closes both. */
async function withAgent(
  answer: (invocation: Invocation) => LambdaAnswer,
  use: (invoker: Invoker, service: LambdaService) => Promise<void>,
  config: Config = lookup,
): Promise<void> {
  const service = await startLambda(answer);
  try {
    const invoker = await open(service.aws, config);
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
  readonly invocations: readonly Invocation[];
}

async function call(
  answer: (invocation: Invocation) => LambdaAnswer,
  input: AgentInput = {},
  config: Config = lookup,
): Promise<Called> {
  let called: Called | undefined;
  await withAgent(
    answer,
    async (invoker, { invocations }) => {
      called = await invoker.invoke(input, aContext()).then(
        (reply) => ({ reply, invocations }),
        (error: RowcallError) => ({ error, invocations }),
      );
    },
    config,
  );
  assert.ok(called);
  return called;
}

const ok = (): LambdaAnswer => ({ payload: { structured_output: {} } });

/** Answers in turn, then again and again with the last one. */
function inTurn(...answers: readonly LambdaAnswer[]): () => LambdaAnswer {
  let turn = 0;
  return () => answers[Math.min(turn++, answers.length - 1)] ?? "hang";
}

test("invokes the function with the mapped row as its event", async () => {
  const { invocations } = await call(ok, { postcode: "E8 4LX", floor: 3 }, { function: "lookup", qualifier: "prod" });
  const [invocation] = invocations;
  assert.deepEqual(
    [invocation?.name, invocation?.qualifier, invocation?.payload],
    ["lookup", "prod", { postcode: "E8 4LX", floor: 3 }],
  );
  assert.equal(invocation?.request.headers["x-amz-invocation-type"], "RequestResponse");
});

test("signs for the region of the function's ARN", async () => {
  const arn = "arn:aws:lambda:us-west-2:123456789012:function:lookup:7";
  const { invocations } = await call(ok, {}, { function: arn });
  assert.equal(invocations[0]?.name, arn);
  assert.match(String(invocations[0]?.request.headers.authorization), /\/us-west-2\/lambda\//);
});

test("takes the answer from where output says", async () => {
  const answer = (): LambdaAnswer => ({ payload: { data: [{ price: 12 }], n: 1 } });
  const whole = await call(answer, {}, { ...lookup, output: "body" });
  assert.deepEqual(whole.reply, { structured_output: { data: [{ price: 12 }], n: 1 } });
  const part = await call(answer, {}, { ...lookup, output: "$.data[0]" });
  assert.deepEqual(part.reply, { structured_output: { price: 12 } });
  const { error } = await call(answer, {}, { ...lookup, output: "$.n" });
  assert.equal(error?.message, "What is at $.n in the answer of the function lookup is not an object");
});

test("an error of the function is AGENT_FAILED in its words, with the end of its log as a step", async () => {
  const failure = { errorType: "ValueError", errorMessage: "no such postcode", stackTrace: ["  File …"] };
  await withAgent(
    () => ({ functionError: failure, log: "START RequestId: 1\nREPORT\tDuration: 3 ms\n" }),
    async (invoker) => {
      const context = aContext();
      await assert.rejects(invoker.invoke({}, context), {
        code: "AGENT_FAILED",
        retryable: true,
        message: "ValueError: no such postcode",
      });
      assert.deepEqual(context.steps, [
        {
          name: "invoke lookup",
          status: "failed",
          durationMs: 0,
          detail: "START RequestId: 1\nREPORT  Duration: 3 ms",
        },
      ]);
    },
  );
});

test("explains what Lambda itself says of a function that ended badly", async () => {
  const timedOut = await call(() => ({
    functionError: { errorMessage: "2025-10-18T05:30:03Z 6c1f Task timed out after 3.00 seconds" },
  }));
  assert.equal(timedOut.error?.code, "AGENT_FAILED");
  assert.equal(timedOut.error.retryable, true);
  assert.match(timedOut.error.message, /Task timed out after 3\.00 seconds$/);
  assert.match(timedOut.error.hint ?? "", /function's own time limit/);
  const large = await call(() => ({
    functionError: { errorType: "Function.ResponseSizeTooLarge", errorMessage: "Response payload size exceeded" },
  }));
  assert.match(large.error?.hint ?? "", /at most 6 MB/);
  const killed = await call(() => ({
    functionError: { errorType: "Runtime.ExitError", errorMessage: "Error: Runtime exited with error: signal: killed" },
  }));
  assert.match(killed.error?.hint ?? "", /more memory/);
  const odd = await call(() => ({ functionError: ["odd"] }));
  assert.equal(odd.error?.message, 'The function failed: ["odd"]');
});

test("a reply that is not JSON is OUTPUT_INVALID; no reply is null", async () => {
  assert.deepEqual((await call(() => ({ text: "<html>" }))).error?.code, "OUTPUT_INVALID");
  assert.deepEqual((await call(() => ({ text: "" }))).reply, null);
  assert.deepEqual((await call(() => ({ payload: null }))).reply, null);
});

const busy: LambdaAnswer = {
  status: 429,
  type: "TooManyRequestsException",
  message: "Rate Exceeded.",
  more: { Reason: "ReservedFunctionConcurrentInvocationLimitExceeded" },
  headers: { "retry-after": "7" },
};

test("a throttled invocation is repeated at once some times, since it has not run", async () => {
  const { reply, invocations } = await call(inTurn(busy, busy, { payload: { structured_output: { n: 1 } } }));
  assert.deepEqual(reply, { structured_output: { n: 1 } });
  assert.equal(invocations.length, 3);
});

test("throttling that lasts is AWS_FAILED, with the wait that Lambda asks for", async () => {
  const { error, invocations } = await call(() => busy);
  assert.deepEqual([error?.code, error?.retryable], ["AWS_FAILED", true]);
  assert.equal(error?.details["retryAfterMs"], 7000);
  assert.match(error?.message ?? "", /ReservedFunctionConcurrentInvocationLimitExceeded/);
  assert.equal(invocations.length, 4);
});

test("an invocation that may have run is not repeated behind the batch's back", async () => {
  const cases: readonly LambdaAnswer[] = [
    "cut",
    { status: 500, type: "ServiceException", message: "oops" },
    { status: 502, type: "EC2UnexpectedException", message: "oops" },
    { status: 504, type: "GatewayTimeout", message: "oops" },
  ];
  for (const answer of cases) {
    const { error, invocations } = await call(() => answer);
    assert.deepEqual([error?.code, error?.retryable, invocations.length], ["AWS_FAILED", true, 1]);
  }
});

test("a connection that closed says that the function may have run", async () => {
  const { error } = await call(() => "cut");
  assert.match(error?.message ?? "", /^Cannot invoke the function lookup: the connection closed/);
  assert.match(error?.hint ?? "", /may have run/);
});

test("what the user must correct is AWS_DENIED and not tried again", async () => {
  const cases: readonly (readonly [status: number, type: string, hint: RegExp])[] = [
    [404, "ResourceNotFoundException", /name, the account and the region/],
    [403, "AccessDeniedException", /policy/],
    [403, "ExpiredTokenException", /Sign in again/],
    [403, "UnrecognizedClientException", /profile/],
    [400, "InvalidParameterValueException", /Correct/],
  ];
  for (const [status, type, hint] of cases) {
    const { error, invocations } = await call(() => ({ status, type, message: "no" }));
    assert.deepEqual([error?.code, error?.retryable, invocations.length], ["AWS_DENIED", false, 1], type);
    assert.match(error?.hint ?? "", hint);
  }
});

test("a function that is being changed is tried again later", async () => {
  const { error } = await call(() => ({
    status: 409,
    type: "ResourceConflictException",
    message:
      "The operation cannot be performed at this time. The function is currently in the following state: Pending",
  }));
  assert.deepEqual([error?.code, error?.retryable], ["AWS_FAILED", true]);
});

test("an input above 6 MB fails its row before anything is sent; so does one that Lambda finds too large", async () => {
  const { error, invocations } = await call(ok, { text: "x".repeat(6 * 1024 * 1024) });
  assert.equal(error?.code, "ROW_INVALID");
  assert.match(error.message, /too large for the function lookup: it is 6291467 bytes/);
  assert.equal(invocations.length, 0);
  const refused = await call(() => ({
    status: 413,
    type: "RequestTooLargeException",
    message: "Request must be smaller",
  }));
  assert.equal(refused.error?.code, "ROW_INVALID");
});

test("refuses, when it is opened, a function that is not there or may not be invoked", async (t) => {
  for (const [status, type] of [
    [404, "ResourceNotFoundException"],
    [403, "AccessDeniedException"],
  ] as const) {
    const service = await startLambda(ok, () => ({ status, type, message: "no" }));
    t.after(service.close);
    await assert.rejects(open(service.aws), { code: "AWS_DENIED", message: /^Cannot invoke the function lookup: / });
    assert.equal(service.invocations.length, 0);
  }
});

test("is opened although a dry run is refused for a passing reason, or not known", async (t) => {
  for (const status of [501, 503]) {
    const service = await startLambda(ok, () => ({ status, type: "NotImplementedException", message: "no" }));
    t.after(service.close);
    const invoker = await open(service.aws);
    assert.deepEqual(await invoker.invoke({}, aContext()), { structured_output: {} });
    await invoker.close();
  }
});

test("refuses, when it is opened, a name without a region that there can be", async (t) => {
  const before = { ...process.env };
  t.after(() => void (process.env = before));
  process.env = { ...before, AWS_CONFIG_FILE: "/nowhere" };
  delete process.env["AWS_REGION"];
  await assert.rejects(open({ credentials: testCredentials, endpoints: {} }), {
    code: "AWS_DENIED",
    message: "Cannot invoke the function lookup: no AWS region is set",
  });
  await assert.rejects(open({ region: "eu west", credentials: testCredentials, endpoints: {} }), {
    code: "AWS_DENIED",
    message:
      'Cannot invoke the function lookup: Region not accepted: region="eu west" is not a valid hostname component.',
  });
});

test("keeps connections between invocations, and opens no more than run at once", async () => {
  await withAgent(ok, async (invoker, service) => {
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: contractConcurrency * 2 }, () => invoker.invoke({}, aContext())));
    }
    assert.ok((await service.connections()) <= contractConcurrency);
  });
});

test("an endpoint that nobody listens on is AWS_FAILED", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const endpoints = { LAMBDA: `http://127.0.0.1:${port}` };
  const invoker = await open({ region: "eu-west-1", credentials: testCredentials, endpoints });
  await assert.rejects(invoker.invoke({}, aContext()), { code: "AWS_FAILED", hint: /endpoint-url/ });
  await invoker.close();
});

test("previews function and payload, and names the endpoint's host", async () => {
  await withAgent(
    ok,
    async (invoker, service) => {
      assert.deepEqual(invoker.preview?.({ id: 1 }), { function: "lookup", qualifier: "prod", payload: { id: 1 } });
      assert.equal(invoker.targetHost?.({ id: 1 }), new URL(service.origin).host);
      assert.equal(service.invocations.length, 0);
    },
    { function: "lookup", qualifier: "prod" },
  );
});

test("takes every form that Lambda has for a function", async () => {
  for (const name of [
    "lookup",
    "lookup:prod",
    "lookup:$LATEST",
    "123456789012:function:lookup",
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:lookup:3",
  ]) {
    assert.equal((await call(ok, {}, { function: name })).invocations[0]?.name, name);
  }
});

test("refuses a wrong config when it is opened, with everything that is wrong", async () => {
  const wrong: readonly (readonly [config: Config, paths: readonly string[]])[] = [
    [{}, ["function"]],
    [{ function: "look up", qualifier: "a b" }, ["function", "qualifier"]],
    [{ function: "arn:aws:states:eu-west-1:123456789012:stateMachine:lookup" }, ["function"]],
    [{ function: "lookup:1", qualifier: "2" }, ["qualifier"]],
    [{ function: "lookup", qualifer: "2" }, ["qualifer"]],
    [{ function: "lookup", output: "$[" }, ["output"]],
  ];
  for (const [config, paths] of wrong) {
    await assert.rejects(open({ endpoints: {} }, config), (error: RowcallError) => {
      assert.equal(error.code, "AGENT_INVALID");
      assert.deepEqual(
        (error.details["problems"] as { path: string }[]).map(({ path }) => path),
        paths,
      );
      return true;
    });
  }
});
