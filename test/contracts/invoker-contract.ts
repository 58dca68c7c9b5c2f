import assert from "node:assert/strict";
import type { AgentInput, InvokeContext, Invoker } from "../../src/core/agent.ts";
import type { StepRecord } from "../../src/core/attempt.ts";
import { isJsonObject, type JsonValue } from "../../src/core/json.ts";
import { contractTests } from "./contract-tests.ts";

/** An opened agent to hold to its contract, and the other side that it talks to. */
export interface InvokerUnderTest {
  /** Opened for a concurrency of {@link contractConcurrency}. */
  readonly invoker: Invoker;
  /** Input that is answered with `structured_output` whose `echo` is the text. */
  echo(text: string): AgentInput;
  /** Input on which the other side fails with {@link refusal} in its words. */
  fail(): AgentInput;
  /** Input that is never answered. */
  hang(): AgentInput;
  /** Resolves when an input that is never answered has reached the other side. */
  hanging(): Promise<void>;
  /** Resolves when the other side has noticed that nobody waits for that answer any more. */
  released(): Promise<void>;
  /** Closes the other side; the suite has closed the invoker. */
  close(): Promise<void>;
}

/** How many invocations are in flight at once in the suite. */
export const contractConcurrency = 4;
/** What the other side says when it fails. */
export const refusal = "the other side refuses";

const awkwardTexts = [
  "plain",
  `"double" and 'single' quotes`,
  "back\\slash \\n \\u0041 \\",
  "line one\nline two",
  "a&b=c?d#e%20f+g;h/i",
  "<b>bold</b> &amp; {{mustache}} {{{three}}}",
  "naïve Straße 住所 🏠",
  " spaces around ",
  "$& $1 `${x}`",
];

/** What an attempt noted, and the context that notes it. */
export interface TestContext extends InvokeContext {
  readonly steps: readonly StepRecord[];
  readonly saved: readonly string[];
}

/** A context as the engine gives it. */
export function aContext(over: Partial<Pick<InvokeContext, "signal" | "row" | "attempt">> = {}): TestContext {
  const steps: StepRecord[] = [];
  const saved: string[] = [];
  return {
    signal: new AbortController().signal,
    runId: "run-1",
    row: 0,
    attempt: 1,
    ...over,
    steps,
    saved,
    artifacts: {
      step: (record) => void steps.push(record),
      save: async (name) => {
        saved.push(name);
        return `memory:${name}`;
      },
    },
  };
}

/** Holds an agent kind to the contract of `Invoker`. */
export function invokerContract(kind: string, open: () => Promise<InvokerUnderTest>): void {
  const invokerTest = contractTests(`${kind} agent`, async () => {
    const under = await open();
    const close = async (): Promise<void> => {
      await under.invoker.close();
      await under.close();
    };
    return { ...under, close };
  });

  invokerTest("passes the other side's answer through", async ({ invoker, echo }) => {
    assert.equal(echoOf(await invoker.invoke(echo("hello"), aContext())), "hello");
  });

  for (const text of awkwardTexts) {
    invokerTest(`carries ${JSON.stringify(text)} there and back unchanged`, async ({ invoker, echo }) => {
      assert.equal(echoOf(await invoker.invoke(echo(text), aContext())), text);
    });
  }

  invokerTest("does not mix invocations that are in flight at once", async ({ invoker, echo }) => {
    const texts = Array.from({ length: contractConcurrency * 3 }, (_, i) => `row ${i}`);
    const replies = await Promise.all(texts.map((text, row) => invoker.invoke(echo(text), aContext({ row }))));
    assert.deepEqual(replies.map(echoOf), texts);
  });

  invokerTest("tells of a failure in the other side's words, and works on", async ({ invoker, echo, fail }) => {
    await assert.rejects(invoker.invoke(fail(), aContext()), (error: unknown) => {
      assert.ok(error instanceof Error);
      assert.ok(error.message.includes(refusal), error.message);
      return true;
    });
    assert.equal(echoOf(await invoker.invoke(echo("after"), aContext())), "after");
  });

  invokerTest("the signal ends an invocation, lets the other side go, and harms no other", async (under) => {
    const { invoker, echo, hang } = under;
    const aborter = new AbortController();
    const hung = invoker.invoke(hang(), aContext({ signal: aborter.signal }));
    const rejected = assert.rejects(hung);
    await under.hanging();
    const beside = invoker.invoke(echo("beside"), aContext({ row: 1 }));
    aborter.abort(new Error("Execution timeout"));
    await rejected;
    await under.released();
    assert.equal(echoOf(await beside), "beside");
    assert.equal(echoOf(await invoker.invoke(echo("after"), aContext({ row: 2 }))), "after");
  });

  invokerTest("a signal that is aborted already ends the invocation", async ({ invoker, hang }) => {
    const signal = AbortSignal.abort(new Error("Execution timeout"));
    await assert.rejects(invoker.invoke(hang(), aContext({ signal })));
  });

  invokerTest("notes steps that can be read, if any", async ({ invoker, echo, fail }) => {
    const context = aContext();
    await invoker.invoke(echo("hello"), context);
    await invoker.invoke(fail(), context).catch(() => {});
    for (const { name, status, durationMs } of context.steps) {
      assert.ok(name.trim().length > 0);
      assert.ok(["done", "failed", "skipped"].includes(status));
      assert.ok(durationMs >= 0);
    }
  });

  invokerTest("does not change the input it is given", async ({ invoker, echo }) => {
    const input = echo("hello");
    const before = structuredClone(input);
    await invoker.invoke(input, aContext());
    assert.deepEqual(input, before);
  });

  invokerTest(
    "tells the target host and a preview without calling anybody, where it can",
    async ({ invoker, echo }) => {
      const host = invoker.targetHost?.(echo("hello"));
      assert.ok(host === undefined || host.length > 0);
      const preview = invoker.preview?.(echo("hello"));
      assert.doesNotThrow(() => JSON.stringify(preview));
    },
  );

  invokerTest("can be closed twice", async ({ invoker, echo }) => {
    await invoker.invoke(echo("hello"), aContext());
    await Promise.all([invoker.close(), invoker.close()]);
    await invoker.close();
  });
}

function echoOf(reply: JsonValue): JsonValue | undefined {
  assert.ok(isJsonObject(reply), JSON.stringify(reply));
  const output = reply["structured_output"];
  assert.ok(isJsonObject(output), JSON.stringify(reply));
  return output["echo"];
}
