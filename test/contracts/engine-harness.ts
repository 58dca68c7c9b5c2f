import assert from "node:assert/strict";
import { it } from "node:test";
import { parseBatch } from "../../src/core/batch-file.ts";
import type { Notification } from "../../src/core/channel.ts";
import type { Engine, StartRequest } from "../../src/core/engine.ts";
import type { JsonValue } from "../../src/core/json.ts";
import type { TestInvoke } from "../fakes/services.ts";
import type { unstorableValues } from "../fixtures/unstorable.ts";

/** An engine around one test agent, and the files it reads and writes. */
export interface EngineHarness {
  readonly engine: Engine;
  /** Another engine on the same journal, as another process would have. */
  reopen(): Engine;
  /** What the channel `test:` was told. */
  readonly told: readonly Notification[];
  /** Whether the channel `test:` takes nothing from now on. */
  setDeaf(deaf: boolean): void;
  writeInput(text: string): Promise<string>;
  read(uri: string): Promise<string>;
  readonly outputPrefix: string;
  close(): Promise<void>;
}

/** An agent that gives back what it was given. */
export const echo: TestInvoke = async (input) => ({
  structured_output: { field: `<${String(input["a"])}>`, extra: 1 },
});

/** Opens the engine that a suite tests, around an agent. */
export type OpenHarness = (invoke: TestInvoke) => Promise<EngineHarness>;

/** Defines one test of a suite. */
export type EngineTest = (title: string, invoke: TestInvoke, test: (harness: EngineHarness) => Promise<void>) => void;

/** Tests of engines, each with an engine of its own that is closed afterwards. */
export function engineTests(open: OpenHarness): EngineTest {
  return (title, invoke, test) =>
    void it(title, async () => {
      const harness = await open(invoke);
      try {
        await test(harness);
      } finally {
        await harness.close();
      }
    });
}

/** A request for a run of a table; `over` is laid over its batch file. */
export async function request(harness: EngineHarness, text: string, over: object = {}): Promise<StartRequest> {
  const value = {
    agent_name: "echo",
    input: await harness.writeInput(text),
    output: harness.outputPrefix,
    execution_config: { max_concurrency: 3, retry_strategy: { max_attempts: 2, interval_seconds: 0 } },
    ...over,
  };
  return { batch: parseBatch(value, "test batch") };
}

/** A table without its times. */
export function mask(csv: string): string {
  return csv.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+/g, "T,MS");
}

/** Tests that answers which cannot be stored fail their rows and no others. */
export function checkUnstorable(check: EngineTest, unstorable: typeof unstorableValues): void {
  check(
    "an answer that cannot be stored fails its row and says why; the others go on, and the run ends",
    async ({ a }, context) => {
      const bad = unstorable[Number(a)];
      return { structured_output: { field: bad === undefined ? "fine" : bad.make(context), extra: 1 } } as JsonValue;
    },
    async (harness) => {
      const table = `a\n${unstorable.map((_, n) => `${n}\nfine\n`).join("")}`;
      const once = { execution_config: { max_concurrency: 8, retry_strategy: { max_attempts: 0 } } };
      const run = await harness.engine.start(await request(harness, table, once));
      const reports = await Array.fromAsync(harness.engine.rows(run.id));
      const told = reports.map(({ attempts }) => attempts.at(-1)?.outcome);
      for (const [n, { name, code = "OUTPUT_INVALID", message }] of unstorable.entries()) {
        const [outcome, next] = told.slice(2 * n);
        assert.ok(outcome?.status === "failed", `${name}: ${JSON.stringify(outcome)}`);
        assert.equal(outcome.code, code, name);
        assert.match(outcome.message, message, name);
        assert.deepEqual(next, { status: "succeeded", output: { field: "fine", extra: 1 } });
      }
      assert.equal(run.status, "succeeded");
      assert.deepEqual([run.counts.succeeded, run.counts.failed], [unstorable.length, unstorable.length]);
      const lines = (await harness.read(run.outputUri ?? "")).split("\n");
      assert.equal(lines.length, 2 * unstorable.length + 2);
    },
  );
}
