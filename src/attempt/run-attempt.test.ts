import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock, test } from "node:test";
import fc from "fast-check";
import type { InvokeContext, Invoker } from "../core/agent.ts";
import { outcomeOf, type Attempt } from "../core/attempt.ts";
import { RowcallError, errorTable, type ErrorCode } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { createExtractor } from "./extract.ts";
import { runAttempt, type AttemptSetup } from "./run-attempt.ts";

const extract = createExtractor({ agent_name: "a", structured_output: { enabled: true, output_fields: [] } });

type Invoke = Invoker["invoke"];

function ticking(from = 1000, stepMs = 7): () => number {
  let now = from - stepMs;
  return () => (now += stepMs);
}

const setupOf = (invoke: Invoke, more: Partial<AttemptSetup> = {}): AttemptSetup => ({
  invoker: { invoke, close: async () => undefined },
  extract,
  runId: "run-1",
  timeoutMs: 50,
  clock: ticking(),
  monotonic: ticking(),
  saveArtifact: async (row, attempt, name) => `mem:${row}-${attempt}/${name}`,
  ...more,
});

const run = (invoke: Invoke, more: Partial<AttemptSetup> = {}): Promise<Attempt> =>
  runAttempt(setupOf(invoke, more), { a: 1 }, 3, 2);

const never = (): Promise<JsonValue> => new Promise(() => undefined);
const answering = async (): Promise<JsonValue> => ({ structured_output: { a: 1 } });

/** Lets everything that is ready run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("an answer becomes an attempt with its row, number and times", async () => {
  assert.deepEqual(await run(answering), {
    row: 3,
    number: 2,
    startedAt: 1000,
    endedAt: 1007,
    outcome: { status: "succeeded", output: { a: 1 } },
    steps: [],
    artifacts: [],
  });
});

test("the agent is told the row, the attempt and the run, and gets the input", async () => {
  const seen: unknown[] = [];
  await run(async (input, { runId, row, attempt, signal }) => {
    seen.push(input, runId, row, attempt, signal.aborted);
    return {};
  });
  assert.deepEqual(seen, [{ a: 1 }, "run-1", 3, 2, false]);
});

test("steps and artifacts are kept in order, also of an attempt that fails", async () => {
  const step = { name: 'fill "PostCode"', status: "done", durationMs: 5 } as const;
  const { outcome, steps, artifacts } = await run(async (_, { artifacts: { save, step: note } }) => {
    note(step);
    assert.equal(await save("final.png", new Uint8Array(1), "image/png"), "mem:3-2/final.png");
    note({ ...step, status: "failed" });
    throw new Error("after that");
  });
  assert.equal(outcome.status, "failed");
  assert.deepEqual(steps, [step, { ...step, status: "failed" }]);
  assert.deepEqual(artifacts, [{ name: "final.png", uri: "mem:3-2/final.png", contentType: "image/png" }]);
});

test("an artifact that cannot be kept is the agent's to handle", async () => {
  const saveArtifact = async (): Promise<string> => {
    throw new RowcallError("STORE_DENIED", "No write access");
  };
  const { outcome, artifacts } = await run(
    async (_, context) => {
      await context.artifacts.save("a.png", new Uint8Array(), "image/png");
      return {};
    },
    { saveArtifact },
  );
  assert.deepEqual(outcome, { status: "failed", code: "STORE_DENIED", message: "No write access", retryable: false });
  assert.deepEqual(artifacts, []);
});

test("an artifact without a name or a type is the agent's failure", async () => {
  for (const [name, type] of [
    [3n, "image/png"],
    ["", "image/png"],
    ["a.png", undefined],
  ]) {
    const { outcome, artifacts } = await run(async (_, context) => {
      await context.artifacts.save(name as never, new Uint8Array(), type as never);
      return { structured_output: {} };
    });
    assert.equal(outcome.status === "failed" && outcome.code, "AGENT_FAILED");
    assert.deepEqual(artifacts, []);
  }
});

test("steps are kept as texts, cut where they are long and counted where they are many", async () => {
  const { outcome, steps } = await run(async (_, { artifacts: { step } }) => {
    step({ name: "look" } as never);
    step({ name: 7, status: "odd", durationMs: Number.NaN, detail: { a: 1 }, more: 3n } as never);
    step("a text" as never);
    for (let n = 0; n < 1000; n += 1)
      step({ name: `${n}`, status: "failed", durationMs: 1, detail: "x".repeat(20_000) });
    return { structured_output: {} };
  });
  assert.equal(outcome.status, "succeeded");
  assert.deepEqual(steps.slice(0, 3), [
    { name: "look", status: "done", durationMs: 0 },
    { name: "7", status: "done", durationMs: 0, detail: '{"a":1}' },
    { name: "a text", status: "done", durationMs: 0 },
  ]);
  assert.match(steps[3]?.detail ?? "", /^x{3960}… \(16040 more characters\)$/);
  assert.equal(steps.at(-1)?.name, `… (${1003 - (steps.length - 1)} more steps)`);
  assert.ok(JSON.stringify(steps).length < 300 * 1024);
});

describe("whatever is thrown is the outcome", () => {
  const agentFailed = (message: string): object => ({
    status: "failed",
    code: "AGENT_FAILED",
    message,
    retryable: true,
  });

  for (const [name, thrown, message] of [
    ["an error", new TypeError("x is undefined"), "x is undefined"],
    ["an error without a message", new Error("", {}), "The agent failed without a message"],
    ["a string", "broken", "broken"],
    ["an empty string", "", "The agent failed without a message"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a number", 7, "7"],
    ["a symbol", Symbol("x"), "Symbol(x)"],
    ["an object with a message", { message: "from afar" }, "from afar"],
    ["an object", { code: 7 }, '{"code":7}'],
    ["an object without a prototype", Object.create(null) as object, "{}"],
    ["an object that cannot be shown", { toJSON: (): never => assert.fail() }, "An object that cannot be shown"],
  ] as const) {
    it(`${name}, thrown at once`, async () => {
      const throwing: Invoke = () => {
        // oxlint-disable-next-line typescript/only-throw-error -- agents may
        throw thrown;
      };
      assert.deepEqual((await run(throwing)).outcome, agentFailed(message));
    });

    it(`${name}, as a rejection`, async () => {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- agents may
      assert.deepEqual((await run(() => Promise.reject(thrown))).outcome, agentFailed(message));
    });
  }

  it("an extraction that throws", async () => {
    const broken = (): never => {
      throw new Error("in the schema");
    };
    assert.deepEqual((await run(answering, { extract: broken })).outcome, agentFailed("in the schema"));
  });

  it("our own error, with code, hint and the wait that the other side asked for", () => {
    const error = new RowcallError("HTTP_UNAVAILABLE", "503 from api.example.com", {
      hint: "Ask later.",
      details: { retryAfterMs: 1500 },
    });
    assert.deepEqual(outcomeOf(error), {
      status: "failed",
      code: "HTTP_UNAVAILABLE",
      message: "503 from api.example.com",
      hint: "Ask later.",
      retryable: true,
      retryAfterMs: 1500,
    });
  });

  it("our own error that says that the attempt was interrupted, which the run alone may say", async () => {
    const { outcome } = await run(() => Promise.reject(new RowcallError("INTERRUPTED", "I had to go")));
    assert.deepEqual(outcome, agentFailed("I had to go"));
  });

  it("our own error with a code that is none, or a wait that is no number", () => {
    const odd = Object.assign(new RowcallError("HTTP_STATUS", "x"), { code: "toString" });
    assert.deepEqual(outcomeOf(odd), agentFailed("x"));
    const waiting = new RowcallError("HTTP_UNAVAILABLE", "x", { details: { retryAfterMs: Number.NaN } });
    assert.deepEqual(outcomeOf(waiting), { status: "failed", code: "HTTP_UNAVAILABLE", message: "x", retryable: true });
  });

  it("our own error that says that its case is not tried again", () => {
    const error = new RowcallError("AGENT_FAILED", "stopped by hand", { retryable: false });
    assert.deepEqual(outcomeOf(error), { ...agentFailed("stopped by hand"), retryable: false });
  });

  it("any of our codes, retryable as the table says", async () => {
    const codes = (Object.keys(errorTable) as ErrorCode[]).filter((code) => code !== "INTERRUPTED");
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...codes), fc.string({ minLength: 1 }), async (code, message) => {
        const error = new RowcallError(code, message);
        const { outcome } = await run(() => Promise.reject(error));
        assert.deepEqual(outcome, { status: "failed", code, message, retryable: error.retryable });
      }),
    );
  });
});

describe("when time is up", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  const timeout = {
    status: "failed",
    code: "TIMEOUT",
    message: "Execution timeout",
    hint: "The attempt took longer than 0.05 s. Raise execution_config.timeout_seconds, or look at the recording.",
    retryable: true,
  };

  it("an agent that heeds the signal ends at once, in the words of the original product", async () => {
    const reasons: unknown[] = [];
    const attempt = run((_, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          reject(new Error("aborted"));
        });
      });
    });
    mock.timers.tick(49);
    assert.deepEqual(reasons, []);
    mock.timers.tick(1);
    assert.deepEqual((await attempt).outcome, timeout);
    assert.deepEqual(reasons, [new RowcallError("TIMEOUT", "Execution timeout")]);
  });

  it("what it still keeps belongs to the attempt, and its answer comes too late", async () => {
    const attempt = run(async (_, { signal, artifacts }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await artifacts.save("timeout.png", new Uint8Array(), "image/png");
      return { structured_output: {} };
    });
    mock.timers.tick(50);
    const { outcome, artifacts } = await attempt;
    assert.deepEqual([outcome, artifacts.length], [timeout, 1]);
  });

  it("an agent that ignores the signal is left behind, and the attempt ended when its time was up", async () => {
    const attempt = run(never);
    mock.timers.tick(50);
    mock.timers.tick(2000);
    const { outcome, startedAt, endedAt } = await attempt;
    assert.deepEqual(outcome, timeout);
    assert.deepEqual([startedAt, endedAt], [1000, 1007]);
  });

  it("an agent left behind changes nothing any more", async () => {
    const late = Promise.withResolvers<JsonValue>();
    let left: InvokeContext | undefined;
    const attempt = run((_, context) => {
      left = context;
      return late.promise;
    });
    mock.timers.tick(50);
    mock.timers.tick(2000);
    const before = structuredClone(await attempt);
    left?.artifacts.step({ name: "late", status: "done", durationMs: 1 });
    await left?.artifacts.save("late.png", new Uint8Array(), "image/png");
    late.resolve({ structured_output: {} });
    await settled();
    assert.deepEqual(await attempt, before);
  });

  it("a signal that is asked for afterwards is aborted already", async () => {
    let signal: AbortSignal | undefined;
    const attempt = run(async (_, context) => {
      await settled();
      ({ signal } = context);
      return {};
    });
    mock.timers.tick(50);
    assert.deepEqual((await attempt).outcome, timeout);
    assert.equal(signal?.aborted, true);
  });

  it("being killed as well does not make it an interruption", async () => {
    const killer = new AbortController();
    const attempt = run(never, { signal: killer.signal });
    mock.timers.tick(50);
    killer.abort();
    mock.timers.tick(2000);
    assert.deepEqual((await attempt).outcome, timeout);
  });

  it("a limit of more days than a timer counts is no limit", async () => {
    const answer = Promise.withResolvers<JsonValue>();
    const attempt = run(() => answer.promise, { timeoutMs: 2 ** 31 });
    mock.timers.tick(2 ** 31 - 1);
    answer.resolve({ structured_output: {} });
    assert.equal((await attempt).outcome.status, "succeeded");
  });
});

describe("a run that is killed", () => {
  const interrupted = { status: "failed", code: "INTERRUPTED", message: "The run was interrupted", retryable: true };

  it("ends its attempts as interrupted", async () => {
    const killer = new AbortController();
    const attempt = run(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("gone")))),
      { signal: killer.signal },
    );
    killer.abort();
    assert.deepEqual((await attempt).outcome, interrupted);
  });

  it("calls no agent any more", async () => {
    let calls = 0;
    const invoke = async (): Promise<JsonValue> => {
      calls += 1;
      return {};
    };
    assert.deepEqual((await run(invoke, { signal: AbortSignal.abort() })).outcome, interrupted);
    assert.equal(calls, 0);
  });
});

test("a clock that is set back or forth a day meanwhile does not change how long an attempt took", async () => {
  for (const day of [-86_400_000, 86_400_000]) {
    let now = 1_000_000_000;
    const { startedAt, endedAt } = await run(
      async () => {
        now += day;
        return answering();
      },
      { clock: () => now },
    );
    assert.deepEqual([startedAt, endedAt], [1_000_000_000, 1_000_000_007]);
  }
});

const unplain = [
  "../../../server-token",
  "/etc/passwd",
  "..",
  ".",
  "a/b.png",
  String.raw`a\b.png`,
  String.raw`C:\a`,
  "a:b",
  "a\u0000.png",
  "a\n.png",
  "CON",
  "nul.txt",
  "Com1.log",
  "lpt9",
  "COM¹",
  "conin$",
  "a.",
  "a ",
  " a",
  ".bashrc",
  "a*",
  "a?",
  '"a"',
  "<a>",
  "a|b",
  "a\u202Egpj.exe",
  "a\u0085",
  "\uD800",
  "x".repeat(201),
];

test("an artifact keeps to a plain name: what leads elsewhere, or is no file on some system, fails the row", async () => {
  for (const name of unplain) {
    const asked: string[] = [];
    const { outcome, artifacts } = await run(
      async (_, context) => {
        await context.artifacts.save(name, new Uint8Array(), "image/png");
        return { structured_output: {} };
      },
      {
        saveArtifact: async (_row, _attempt, kept) => {
          asked.push(kept);
          return kept;
        },
      },
    );
    assert.deepEqual([outcome.status === "failed" && outcome.code, asked, artifacts], ["AGENT_FAILED", [], []], name);
    assert.match(outcome.status === "failed" ? outcome.message : "", /cannot be the name of an artifact/);
  }
});

test("an artifact never replaces another: it gets a number", async () => {
  const taken = new Set(["page.html", "page-2.html", "archive.tar-2.gz"]);
  const names: string[] = [];
  await run(
    async (_, { artifacts: { save } }) => {
      for (const name of ["page.html", "page.html", "plain", "plain", "archive.tar.gz", "archive.tar.gz"])
        names.push(await save(name, new Uint8Array(), "text/html"));
      return { structured_output: {} };
    },
    {
      saveArtifact: async (_row, _attempt, name) => {
        if (taken.has(name)) throw new RowcallError("OUTPUT_EXISTS", `${name} exists already`);
        taken.add(name);
        return name;
      },
    },
  );
  assert.deepEqual(names, ["page-3.html", "page-4.html", "plain", "plain-2", "archive.tar.gz", "archive.tar-3.gz"]);
});
