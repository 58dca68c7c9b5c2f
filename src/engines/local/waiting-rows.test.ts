import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseBatch } from "../../core/batch-file.ts";
import type { RowReport } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import { openStores } from "../../stores/open-store.ts";
import { createTestServices } from "../../../test/fakes/services.ts";
import { openLocalEngine } from "./local-engine.ts";

test("a row that waits for its next attempt is shown with until when and why, until it is attempted", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-waiting-"));
  context.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "in.csv"), "field\na\nb\nc\n");
  let isBusy = true;
  const services = createTestServices({
    store: openStores({ baseDirectory: folder }),
    clock: () => 1_000_000_000_000,
    monotonic: () => performance.now(),
    invoke: async (input, { row }) => {
      if (row !== 0 && isBusy) throw new RowcallError("HTTP_UNAVAILABLE", `429 from ${String(input["field"])}.test`);
      return { structured_output: { field: row } };
    },
  });
  const retry_strategy = { max_attempts: 1, interval_seconds: 250, jitter_strategy: "NONE" };
  const document = {
    agent_name: "echo",
    input: "in.csv",
    output: "out.csv",
    output_mapping: { rename: { field: "answer" } },
    execution_config: { retry_strategy },
  };
  const engine = openLocalEngine({ services, dataDirectory: join(folder, "data") });
  context.after(() => engine.close());
  const drain = new AbortController();
  const seen = Promise.withResolvers<Run>();
  const ended = engine.start(
    { batch: parseBatch(document, "test") },
    {
      drain: drain.signal,
      onEvent: (event) => {
        if (event.type === "progress" && event.run.waiting?.rows === 2) seen.resolve(event.run);
      },
    },
  );
  const { id, waiting, counts } = await seen.promise;
  const until = waiting?.until ?? 0;
  assert.ok(until > 1_000_000_249_000 && until <= 1_000_000_250_000, `${until}`);
  const first = waiting?.row ?? 0;
  const message = `429 from ${first === 1 ? "b" : "c"}.test`;
  assert.deepEqual(waiting, { rows: 2, until, row: first, code: "HTTP_UNAVAILABLE", message });
  assert.deepEqual(counts, { total: 3, succeeded: 1, failed: 0, inFlight: 0, pending: 2 });
  assert.deepEqual((await engine.describe(id)).waiting, waiting);

  const dueTimes = (rows: readonly RowReport[]): unknown =>
    rows.map(({ waitingUntil }) => waitingUntil !== undefined && waitingUntil >= until);
  assert.deepEqual(dueTimes(await Array.fromAsync(engine.rows(id))), [false, true, true]);
  assert.deepEqual(dueTimes((await engine.page(id, { limit: 10 })).rows), [false, true, true]);

  drain.abort();
  assert.equal((await ended).waiting, undefined);
  assert.equal((await engine.describe(id)).waiting, undefined);
  assert.deepEqual(dueTimes(await Array.fromAsync(engine.rows(id))), [false, false, false]);

  isBusy = false;
  const told: unknown[] = [];
  const resumed = await engine.resume(id, {
    onEvent: (event) => "run" in event && event.run.waiting !== undefined && told.push(event.run.waiting),
  });
  assert.equal(resumed.counts.succeeded, 3);
  assert.deepEqual(told, []);
});
