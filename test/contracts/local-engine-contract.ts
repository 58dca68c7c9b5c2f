import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Delivery } from "../../src/core/channel.ts";
import type { Engine, RunEvent } from "../../src/core/engine.ts";
import { RowcallError } from "../../src/core/errors.ts";
import type { Run } from "../../src/core/run.ts";
import { parseJson } from "../../src/core/json.ts";
import { unstorableValues } from "../fixtures/unstorable.ts";
import { describeEngine } from "./engine-contract.ts";
import { checkUnstorable, echo, engineTests, request, type OpenHarness } from "./engine-harness.ts";

/** Runs the suites of engines that carry their runs out themselves and keep all of them in a journal: that of every engine, and more. */
export function describeLocalEngine(name: string, open: OpenHarness): void {
  describeEngine(name, open);

  const check = engineTests(open);
  describe(`engine ${name}, with a journal of its own`, () => {
    checkUnstorable(check, unstorableValues);

    check(
      "a number that JavaScript cannot hold keeps its digits, in cells, in JSON Lines and in rows",
      async () => parseJson('{"structured_output":{"field":12345678901234567890,"extra":{"id":[9007199254740993]}}}'),
      async (harness) => {
        const mapping = { output_mapping: { add_metadata: false } };
        const run = await harness.engine.start(await request(harness, "a\n1\n", mapping));
        const csv = await harness.read(run.outputUri ?? "");
        assert.equal(csv, 'a,field,extra\n1,12345678901234567890,"{""id"":[9007199254740993]}"\n');
        const { uri: jsonl } = await harness.engine.export(run.id, {
          output: `${harness.outputPrefix}x.jsonl`,
          format: "jsonl",
        });
        const json = '"field":12345678901234567890,"extra":{"id":[9007199254740993]}}';
        assert.equal(await harness.read(jsonl), `{"a":"1",${json}\n`);
        const [report] = await Array.fromAsync(harness.engine.rows(run.id));
        assert.ok(JSON.stringify(report).includes(json), JSON.stringify(report));
        assert.equal((await harness.engine.page(run.id, { limit: 1, text: "345678901234567890" })).rows.length, 1);
      },
    );

    const gate = { open: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>() };
    const seen: string[] = [];
    check(
      "drains on request: rows in flight end, no other process runs it meanwhile, and it goes on where it was",
      async (input, context) => {
        seen.push(String(input["a"]));
        gate.entered.resolve();
        await gate.open.promise;
        return echo(input, context);
      },
      async (harness) => {
        Object.assign(gate, { open: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>() });
        seen.length = 0;
        const drain = new AbortController();
        const running = harness.engine.start(await request(harness, "a\n1\n2\n3\n4\n5\n6\n"), { drain: drain.signal });
        await gate.entered.promise;
        const [going] = await harness.engine.list();
        assert.equal(going?.status, "running");
        await assert.rejects(harness.reopen().resume(going?.id ?? ""), { code: "RUN_BUSY" });
        drain.abort();
        gate.open.resolve();
        const stopped = await running;
        assert.equal(stopped.status, "interrupted");
        assert.equal(stopped.counts.succeeded, seen.length);
        assert.equal(stopped.outputUri, undefined);
        const run = await harness.engine.resume(stopped.id);
        assert.deepEqual([run.status, run.counts.succeeded], ["succeeded", 6]);
        assert.deepEqual(seen.toSorted(), ["1", "2", "3", "4", "5", "6"]);
      },
    );

    const pausing = { gate: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>(), begun: 0 };
    check(
      "starts no row while another process has it paused, also when it is resumed, and goes on when it is unpaused",
      async (input, context) => {
        pausing.begun += 1;
        if (pausing.begun === 2) pausing.entered.resolve();
        await pausing.gate.promise;
        return echo(input, context);
      },
      async (harness) => {
        Object.assign(pausing, {
          gate: Promise.withResolvers<void>(),
          entered: Promise.withResolvers<void>(),
          begun: 0,
        });
        const start = await request(harness, `a\n${"0\n".repeat(8)}`, { execution_config: { max_concurrency: 2 } });
        const heeded = Promise.withResolvers<void>();
        const done = Promise.withResolvers<void>();
        const drain = new AbortController();
        const onEvent = (event: RunEvent): void => {
          if (event.type !== "progress" || event.run.paused !== true) return;
          heeded.resolve();
          if (event.run.counts.succeeded === 2) done.resolve();
        };
        const other = harness.reopen();
        const running = harness.engine.start({ ...start, name: "paused" }, { onEvent, drain: drain.signal });
        await pausing.entered.promise;
        assert.deepEqual(await other.adjust("paused", { paused: true }), { paused: true, maxConcurrency: 2 });
        await heeded.promise;
        pausing.gate.resolve();
        while ((await other.describe("paused")).counts.succeeded < 2) await wait(5);
        drain.abort();
        const interrupted = await running;
        assert.deepEqual([interrupted.status, interrupted.paused, pausing.begun], ["interrupted", true, 2]);
        const warned = Promise.withResolvers<string>();
        const resumed = harness.engine.resume("paused", {
          onEvent: (event) => event.type === "warning" && warned.resolve(event.hint ?? ""),
        });
        assert.match(await warned.promise, /rowcall resume/);
        assert.deepEqual([(await other.describe("paused")).paused, pausing.begun], [true, 2]);
        await other.adjust("paused", { paused: false });
        const { status, paused, counts } = await resumed;
        assert.deepEqual([status, paused, counts.succeeded, pausing.begun], ["succeeded", undefined, 8, 8]);
      },
    );

    const last = { gate: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>() };
    check(
      "forgets a pause that came while its last row was in flight: a later rerun starts its rows",
      async (input, context) => {
        last.entered.resolve();
        await last.gate.promise;
        return echo(input, context);
      },
      async (harness) => {
        Object.assign(last, { gate: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>() });
        const running = harness.engine.start(await request(harness, "a\n1\n", {}));
        await last.entered.promise;
        const [{ id }] = (await harness.engine.list()) as [Run];
        await harness.engine.adjust(id, { paused: true });
        last.gate.resolve();
        assert.equal((await running).status, "succeeded");
        assert.equal((await harness.engine.limits(id)).paused, undefined);
      },
    );

    const healed = { now: false };
    check(
      "remembers every attempt of a row, also when it is attempted again in a rerun, which is the same run",
      async (input, context) => {
        if (input["a"] === "2" && !healed.now) throw new Error("not yet");
        return echo(input, context);
      },
      async (harness) => {
        healed.now = false;
        const { engine } = harness;
        const run = await engine.start(await request(harness, "a\n1\n2\n"));
        healed.now = true;
        assert.equal((await engine.rerun(run.id)).id, run.id);
        assert.deepEqual(
          (await Array.fromAsync(engine.rows(run.id))).map(({ attempts }) => attempts.map(({ number }) => number)),
          [[1], [1, 2, 3, 4]],
        );
      },
    );

    check("knows nothing any more of a run that was deleted, and its name is free", echo, async (harness) => {
      const { engine } = harness;
      const start = { ...(await request(harness, "a\n1\n")), name: "doomed" };
      const run = await engine.start(start);
      await engine.delete([run.id]);
      assert.deepEqual(await engine.list(), []);
      await assert.rejects(engine.delete([run.id]), { code: "RUN_NOT_FOUND" });
      assert.notEqual((await engine.start(start)).id, run.id);
    });

    const told = { notification_config: { channels: ["test:"] } };
    check("tells every channel and warns of those that cannot be told", echo, async (harness) => {
      const warnings: string[] = [];
      const notification_config = { channels: ["test:", "nowhere:"] };
      await harness.engine.start(await request(harness, "a\n1\n", { notification_config }), {
        onEvent: (event) => void (event.type === "warning" && warnings.push(event.message)),
      });
      assert.deepEqual(warnings, ["The notification to nowhere: failed: No channel nowhere:"]);
    });

    check("a notification that fails never fails the run, and is sent again when asked", echo, async (harness) => {
      const { engine } = harness;
      harness.setDeaf(true);
      const warnings: RunEvent[] = [];
      const run = await engine.start(await request(harness, "a\n1\n", told), {
        onEvent: (event) => void (event.type === "warning" && warnings.push(event)),
      });
      assert.equal(run.status, "succeeded");
      assert.deepEqual(warnings, [
        {
          type: "warning",
          message: "The notification to test: failed: Nobody answers",
          hint: `Wait for somebody. Send it again: \`rowcall notify ${run.id}\`.`,
        },
      ]);
      const [failed, ...others] = await deliveriesOf(engine, run.id);
      assert.ok(failed !== undefined && others.length === 0);
      const { id, triedAt: _at, ...delivery } = failed;
      const error = { code: "CHANNEL_FAILED", message: "Nobody answers", hint: "Wait for somebody." };
      assert.deepEqual(delivery, { channel: "test:", kind: "success", status: "failed", tries: 1, error });

      assert.equal((await engine.notify(run.id))[0]?.status, "failed");
      harness.setDeaf(false);
      const [sent] = await engine.notify(run.id);
      assert.deepEqual([sent?.id, sent?.status, sent?.tries, sent?.error], [id, "delivered", 3, undefined]);
      assert.deepEqual(
        harness.told.map((notification) => [notification.id, notification.run.id, notification.run.counts.total]),
        [[id, run.id, 1]],
      );
    });

    check("what has arrived is sent again only when asked for, under a new id", echo, async (harness) => {
      const { engine } = harness;
      const run = await engine.start(await request(harness, "a\n1\n", told));
      assert.deepEqual(await engine.notify(run.id), await deliveriesOf(engine, run.id));
      assert.equal(harness.told.length, 1);
      const [again] = await engine.notify(run.id, { all: true });
      assert.equal(harness.told.length, 2);
      const deliveries = await deliveriesOf(engine, run.id);
      assert.deepEqual(
        deliveries.map(({ id }) => id),
        harness.told.map(({ id }) => id),
      );
      assert.deepEqual(deliveries[1], again);
      assert.notEqual(deliveries[0]?.id, again?.id);
    });

    check("an interrupted run tells nobody, and tells when it has been resumed", echo, async (harness) => {
      const { engine } = harness;
      const start = await request(harness, "a\n1\n", told);
      const run = await engine.start(start, { drain: AbortSignal.abort() });
      assert.equal(run.status, "interrupted");
      assert.deepEqual(await engine.notify(run.id, { all: true }), []);
      assert.deepEqual(harness.told, []);
      await engine.resume(run.id);
      assert.deepEqual(
        harness.told.map(({ kind }) => kind),
        ["success"],
      );
    });

    check(
      "tells of a stopped run as a failure, with what its rows failed of; after a rerun only of how it stands then",
      async (input, context) => {
        if (input["a"] === "1") throw new RowcallError("ROW_INVALID", "no");
        if (input["a"] === "2") throw new RowcallError("CHOICE_NONE", "none");
        return echo(input, context);
      },
      async (harness) => {
        const { engine } = harness;
        const execution_config = { max_concurrency: 1, tolerated_failure_count: 2, dedupe: true };
        const over = { input_mapping: { column_mappings: { a: "a" } }, execution_config, ...told };
        harness.setDeaf(true);
        const run = await engine.start(await request(harness, "a,id\n1,1\n1,2\n2,3\n3,4\n", over));
        assert.equal(run.status, "stopped");
        assert.deepEqual(
          (await deliveriesOf(engine, run.id)).map(({ kind, status }) => [kind, status]),
          [["failure", "failed"]],
        );
        harness.setDeaf(false);
        await engine.notify(run.id);
        const [failure] = harness.told;
        assert.deepEqual(failure?.failures, [
          { code: "ROW_INVALID", count: 2 },
          { code: "CHOICE_NONE", count: 1 },
        ]);
        assert.match(failure?.body ?? "", /^Failed with: ROW_INVALID 2, CHOICE_NONE 1$/m);
        assert.match(failure?.body ?? "", /^Go on: rowcall resume /m);

        harness.setDeaf(true);
        const resumed = await engine.resume(run.id);
        assert.deepEqual([resumed.status, resumed.counts.failed], ["succeeded", 3]);
        harness.setDeaf(false);
        assert.equal((await engine.notify(run.id)).length, 1);
        assert.deepEqual(
          harness.told.map(({ kind }) => kind),
          ["failure", "success"],
        );
      },
    );

    check("keeps no account of notifications that the batch has switched off", echo, async (harness) => {
      const notification_config = { channels: ["test:"], success_notification: false };
      const run = await harness.engine.start(await request(harness, "a\n1\n", { notification_config }));
      assert.deepEqual(await deliveriesOf(harness.engine, run.id), []);
      await assert.rejects(deliveriesOf(harness.engine, "x"), { code: "RUN_NOT_FOUND" });
    });
  });
}

async function deliveriesOf(engine: Engine, id: string): Promise<readonly Delivery[]> {
  assert.ok(engine.deliveries !== undefined);
  return engine.deliveries(id);
}
