import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Attempt, Outcome } from "../core/attempt.ts";
import { errorKind, errorTable, type ErrorCode } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { createExtractor } from "./extract.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { answerWith, artifactSaver, readAnswer } from "./attempt-answer.ts";

const extract = createExtractor({ agent_name: "a", structured_output: { enabled: true, output_fields: [] } });
const store = openMemoryStore({ clock: Date.now });
const source = { extract, store, recordingsUri: "memory:recordings" };
const codes = (Object.keys(errorTable) as ErrorCode[]).filter((code) => code !== "INTERRUPTED");

const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.dictionary(fc.string(), fc.jsonValue()).map((output) => ({
    status: "succeeded" as const,
    output: JSON.parse(JSON.stringify(output)) as JsonObject,
  })),
  fc
    .record(
      {
        code: fc.constantFrom(...codes),
        message: fc.string({ minLength: 1 }),
        hint: fc.string(),
        retryAfterMs: fc.nat(),
      },
      { requiredKeys: ["code", "message"] },
    )
    .map((told) => ({ status: "failed" as const, retryable: errorKind(told.code).retryable, ...told })),
);
const attempts: fc.Arbitrary<Attempt> = fc
  .record({
    row: fc.nat(),
    number: fc.integer({ min: 1, max: 9 }),
    startedAt: fc.nat(),
    endedAt: fc.nat(),
    outcome: outcomes,
    steps: fc.array(
      fc.record({ name: fc.string(), status: fc.constantFrom("done", "failed", "skipped"), durationMs: fc.nat() }),
      { maxLength: 3 },
    ),
    artifacts: fc.array(fc.record({ name: fc.string(), contentType: fc.string() }), { maxLength: 3 }),
  })
  .map(({ artifacts, ...attempt }) => ({
    ...attempt,
    artifacts: artifacts.map(({ name, contentType }, n) => ({
      name,
      uri: `memory:recordings/${attempt.row}-${attempt.number}/${n}.png`,
      contentType,
    })),
  }));

test("what a worker tells of an attempt is what the run reads", () =>
  fc.assert(
    fc.asyncProperty(attempts, async (attempt) => {
      const { outcome, record } = await readAnswer(answerWith(attempt), attempt, source);
      assert.deepEqual(outcome, attempt.outcome);
      const { startedAt: started_at, endedAt: ended_at, steps, artifacts } = attempt;
      assert.equal(JSON.stringify(record), JSON.stringify({ started_at, ended_at, steps, artifacts }));
    }),
  ));

test("a failure keeps within the limits of Step Functions, its message first", async () => {
  const step = { name: "x".repeat(1000), status: "done" as const, durationMs: 1 };
  const base = { row: 0, number: 1, startedAt: 1, endedAt: 2, artifacts: [] };
  const failing = (message: string, steps: number): Attempt => ({
    ...base,
    outcome: { status: "failed", code: "AGENT_FAILED", message, retryable: true },
    steps: Array.from({ length: steps }, () => step),
  });
  for (const attempt of [failing("short", 100), failing('"'.repeat(50_000), 0)]) {
    const answer = answerWith(attempt);
    assert.ok(answer.status === "failed" && answer.error.length <= 256 && answer.cause.length <= 32_768);
    const { outcome } = await readAnswer(answer, base, source);
    assert.ok(outcome.status === "failed" && outcome.code === "AGENT_FAILED");
    assert.ok(outcome.message === "short" || /^"{1000,}… \(\d+ more characters\)$/.test(outcome.message));
  }
});

const read = async (end: Parameters<typeof readAnswer>[0]): Promise<Outcome> =>
  (await readAnswer(end, { row: 0, number: 1 }, source)).outcome;

test("any program's answer is understood: an agent's bare reply, or an error with a text", async () => {
  const output = '{"structured_output": {"speed": 80}}';
  assert.deepEqual(await read({ status: "succeeded", output }), { status: "succeeded", output: { speed: 80 } });
  for (const nothing of ["no JSON", "{}", '"text"', '{"reply_uri": 7}']) {
    const outcome = await read({ status: "succeeded", output: nothing });
    assert.equal(outcome.status === "failed" && outcome.message, "Agent did not return structured output");
  }
  const failures: readonly (readonly [string | undefined, string | undefined, ErrorCode, string])[] = [
    ["ValueError", "no such street", "AGENT_FAILED", "ValueError: no such street"],
    ["INTERRUPTED", "I had to go", "AGENT_FAILED", "INTERRUPTED: I had to go"],
    ["CHOICE_NONE", "no such street", "CHOICE_NONE", "no such street"],
    ["TIMEOUT", '{"message": "too slow", "hint": "wait"}', "TIMEOUT", "too slow"],
    [undefined, undefined, "AGENT_FAILED", "The worker gave no reason"],
    ["Boom", '{"errorMessage": "x"}', "AGENT_FAILED", 'Boom: {"errorMessage": "x"}'],
  ];
  for (const [error, cause, code, message] of failures) {
    const outcome = await read({
      status: "failed",
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    });
    assert.deepEqual(outcome.status === "failed" && [outcome.code, outcome.message], [code, message]);
  }
});

test("an answer that stands in an object is read from there; where it cannot be, the row fails with the store's error", async () => {
  const { uri } = await store.write(
    "memory:recordings/0-1/reply.json",
    Buffer.from('{"structured_output": {"big": true}}'),
  );
  const output = JSON.stringify({ reply_uri: uri });
  assert.deepEqual(await read({ status: "succeeded", output }), { status: "succeeded", output: { big: true } });
  const gone = await read({ status: "succeeded", output: '{"reply_uri": "memory:recordings/0-1/gone.json"}' });
  assert.ok(gone.status === "failed");
  assert.equal(gone.code, "STORE_NOT_FOUND");
});

test("a worker is taken at its word for what lies in its attempt's folder alone", async () => {
  const elsewhere = [
    "memory:server-token",
    "memory:recordings/0-2/reply.json",
    "memory:recordings/0-1/../0-2/reply.json",
    "memory:recordings/0-1/..%2Freply.json",
    "memory:recordings/0-1/..",
    "memory:recordings/0-12/reply.json",
    "file:///etc/passwd",
  ];
  const record = { started_at: 1, ended_at: 2, steps: [] };
  for (const uri of elsewhere) {
    await store.write(
      uri.startsWith("memory:") ? uri : "memory:x",
      Buffer.from('{"structured_output": {"stolen": true}}'),
    );
    const outcome = await read({ status: "succeeded", output: JSON.stringify({ reply_uri: uri }) });
    assert.equal(outcome.status === "failed" && outcome.code, "OUTPUT_INVALID", uri);

    const artifacts = [
      { name: "a", uri, contentType: "text/plain" },
      { name: "b", uri: "memory:recordings/0-1/b.png", contentType: "image/png" },
    ];
    const told = { attempt: { ...record, artifacts } };
    const ends = [
      { status: "succeeded", output: JSON.stringify({ structured_output: {}, ...told }) },
      { status: "failed", error: "AGENT_FAILED", cause: JSON.stringify({ message: "no", ...told }) },
    ] as const;
    for (const end of ends) {
      const { record: read } = await readAnswer(end, { row: 0, number: 1 }, source);
      assert.deepEqual(read?.artifacts, artifacts.slice(1), uri);
    }
  }
});

test("a file of an attempt is made, and never replaces one that is there", async () => {
  const save = artifactSaver(store, "memory:recordings/run");
  const uri = await save(3, 2, "final.png", Buffer.from("first"), "image/png");
  assert.equal(uri, "memory:recordings/run/3-2/final.png");
  await assert.rejects(save(3, 2, "final.png", Buffer.from("second"), "image/png"), { code: "OUTPUT_EXISTS" });
  assert.equal(Buffer.concat(await Array.fromAsync(store.read(uri))).toString(), "first");
});
