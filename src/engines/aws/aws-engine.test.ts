import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Batch } from "../../core/batch.ts";
import { parseBatch } from "../../core/batch-file.ts";
import type { Engine } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import { describeEngine } from "../../../test/contracts/engine-contract.ts";
import {
  openAwsHarness,
  startAwsPlace,
  type AwsHarness,
  type AwsPlace,
} from "../../../test/fakes/aws-engine-harness.ts";
import type { TestInvoke } from "../../../test/fakes/services.ts";

let started: Promise<AwsPlace> | undefined;
const place = (): Promise<AwsPlace> => (started ??= startAwsPlace());

describe("on AWS", () => {
  after(async () => (await started)?.close());

  describeEngine("aws", async (invoke) => openAwsHarness(await place(), invoke));

  describe("what the engine on AWS does beyond the contract", () => {
    const check = (title: string, invoke: TestInvoke, test: (harness: AwsHarness) => Promise<void>): void =>
      void it(title, async () => {
        const harness = await openAwsHarness(await place(), invoke);
        try {
          await test(harness);
        } finally {
          await harness.close();
        }
      });
    const batchOf = (harness: AwsHarness, over: object): Batch =>
      parseBatch(
        {
          agent_name: "echo",
          output: harness.outputPrefix,
          output_mapping: { add_metadata: false },
          execution_config: { max_concurrency: 2, retry_strategy: { max_attempts: 0 } },
          ...over,
        },
        "test batch",
      );
    const echo: TestInvoke = async ({ a }) => ({ structured_output: { field: `<${String(a)}>`, extra: 1 } });

    /** Rows wait from the third one on, until they are let through. */
    const gated = () => {
      const gate = {
        entered: Promise.withResolvers<void>(),
        open: Promise.withResolvers<void>(),
        seen: [] as string[],
      };
      const invoke: TestInvoke = async (input, context) => {
        gate.seen.push(String(input["a"]));
        if (Number(input["a"]) >= 3) {
          gate.entered.resolve();
          await Promise.race([gate.open.promise, once(context.signal, "abort")]);
          context.signal.throwIfAborted();
        }
        return echo(input, context);
      };
      return { gate, invoke };
    };
    const fiveRows = "a\n1\n2\n3\n4\n5\n";
    const doneOf = async (engine: Engine, id: string, done: number): Promise<void> => {
      while ((await engine.describe(id)).counts.succeeded < done) await new Promise((resolve) => setImmediate(resolve));
    };

    check("what lies on this machine is sent once, and the table comes back to it", echo, async (harness) => {
      const { engine, services } = harness;
      const input = await harness.writeInput("a\n1\n");
      const first = await engine.start({ batch: batchOf(harness, { input }) });
      assert.match(first.outputUri ?? "", /\/out\/result-[\d-]+\.csv$/);
      assert.equal(await harness.read(first.outputUri ?? ""), "a,field,extra\n1,<1>,1\n");
      const uploaded = async (): Promise<readonly (readonly [string, number])[]> => {
        const found = await Array.fromAsync(services.store.list(`${harness.bucketUri}/uploads/`));
        return found.map(({ uri, modifiedAt }) => [uri, modifiedAt]);
      };
      const before = await uploaded();
      await engine.start({ batch: batchOf(harness, { input }) });
      assert.deepEqual(await uploaded(), before);
    });

    check("a batch whose places are all in S3 leaves nothing on this machine", echo, async (harness) => {
      const { engine, services, bucketUri } = harness;
      const input = `${bucketUri}/inputs/${harness.directory.slice(-6)}.csv`;
      await services.store.write(input, Buffer.from("a\n1\n"));
      const output = `${bucketUri}/results/${harness.directory.slice(-6)}/`;
      const batch = batchOf(harness, { input, output });
      const run = await engine.start({ batch, name: "nightly" });
      assert.ok(run.outputUri?.startsWith(output));
      assert.equal(await harness.read(run.outputUri ?? ""), "a,field,extra\n1,<1>,1\n");
      assert.equal((await engine.start({ batch, name: "nightly" })).id, run.id);
      await services.store.write(input, Buffer.from("a\n2\n"));
      await assert.rejects(engine.start({ batch, name: "nightly" }), { code: "RUN_CONFLICT" });
      await assert.rejects(engine.start({ batch: batchOf(harness, { input: `${input}x`, output }) }), {
        code: "INPUT_NOT_FOUND",
      });
    });

    check("functions serve as agents too", echo, async (harness) => {
      const input = await harness.writeInput("a\n1\n");
      const batch = batchOf(harness, { agent_name: "echo-function", input });
      const run = await harness.engine.start({ batch });
      assert.equal(await harness.read(run.outputUri ?? ""), "a,field,extra\n1,<1>,1\n");
    });

    check("what AWS cannot do is refused before anything is sent", echo, async (harness) => {
      const { engine } = harness;
      const input = await harness.writeInput("a\n1\n");
      const start = (over: object, name?: string): Promise<Run> =>
        engine.start({ batch: batchOf(harness, { input, ...over }), ...(name === undefined ? {} : { name }) });
      await assert.rejects(start({ execution_config: { rate_limit: { requests_per_second: 1 } } }), {
        code: "BATCH_INVALID",
      });
      await assert.rejects(start({ recording: { prefix: "recordings/" } }), { code: "BATCH_INVALID" });
      await assert.rejects(start({}, "two words"), { code: "USAGE_INVALID" });
      assert.deepEqual(await engine.list(), []);
      assert.ok(!harness.endpoint.calls.includes("StartExecution"));
    });

    check("what only AWS can find out ends the run with the error by its code", echo, async (harness) => {
      const { engine, services, bucketUri } = harness;
      const input = `${bucketUri}/inputs/${harness.directory.slice(-6)}-bad.csv`;
      await services.store.write(input, Buffer.from('a\n"1\n'));
      const starting = engine.start({ batch: batchOf(harness, { input }), name: "bad" });
      await assert.rejects(starting, { code: "INPUT_MALFORMED" });
      const [run] = await engine.list();
      assert.deepEqual([run?.name, run?.status], ["bad", "failed"]);
      assert.match(run?.reason ?? "", /^INPUT_MALFORMED: /);
      await assert.rejects(engine.resume(run?.id ?? ""), { code: "INPUT_MALFORMED" });
      await assert.rejects(engine.limits(run?.id ?? ""), { code: "INPUT_MALFORMED" });
    });

    check("the newest run is found without a look at the others", echo, async (harness) => {
      const { engine, endpoint } = harness;
      const input = await harness.writeInput("a\n1\n");
      for (const name of ["one", "two", "three"]) await engine.start({ batch: batchOf(harness, { input }), name });
      const looks = (): number => endpoint.calls.filter((call) => call === "DescribeExecution").length;
      const before = looks();
      const [newest, ...others] = await engine.list({ limit: 1 });
      assert.deepEqual([newest?.name, others.length, looks() - before], ["three", 0, 1]);
    });

    const watched = gated();
    check(
      "a run is found by id, name and ARN, and shows what it has while it goes",
      watched.invoke,
      async (harness) => {
        const { engine } = harness;
        const drain = new AbortController();
        const input = await harness.writeInput(fiveRows);
        const starting = engine.start({ batch: batchOf(harness, { input }), name: "going" }, { drain: drain.signal });
        await watched.gate.entered.promise;
        await doneOf(engine, "going", 2);
        drain.abort();
        const run = await starting;
        assert.deepEqual([run.status, run.name], ["running", "going"]);
        const { interpreter } = harness.endpoint;
        const [execution] = interpreter.listExecutions({
          stateMachineArn: harness.env["ROWCALL_STATE_MACHINE_ARN"] ?? "",
        });
        for (const text of [run.id, "going", execution?.executionArn ?? ""])
          assert.equal((await engine.describe(text)).id, run.id);
        const reports = await Array.fromAsync(engine.rows("going"));
        assert.deepEqual(
          reports.map(({ status }) => status),
          ["succeeded", "succeeded", "pending", "pending", "pending"],
        );
        const { uri: partly } = await engine.export("going", {
          output: `${harness.outputPrefix}partly.csv`,
          format: "csv",
        });
        assert.equal(await harness.read(partly), "a,field,extra\n1,<1>,1\n2,<2>,1\n3,,\n4,,\n5,,\n");
        await assert.rejects(engine.rerun("going"), { code: "RUN_BUSY" });
        await assert.rejects(engine.adjust("going", { paused: true }), { code: "USAGE_INVALID", hint: /rowcall stop/ });
        watched.gate.open.resolve();
        const ended = await engine.resume("going");
        assert.equal(
          await harness.read(ended.outputUri ?? ""),
          "a,field,extra\n1,<1>,1\n2,<2>,1\n3,<3>,1\n4,<4>,1\n5,<5>,1\n",
        );
      },
    );

    const stopped = gated();
    check(
      "a run that was stopped keeps what is done, and is gone on with where it was",
      stopped.invoke,
      async (harness) => {
        const { engine } = harness;
        const input = await harness.writeInput(fiveRows);
        const starting = engine.start({ batch: batchOf(harness, { input }), name: "stopped" });
        await stopped.gate.entered.promise;
        await doneOf(engine, "stopped", 2);
        const run = await engine.stop("stopped");
        assert.deepEqual([run.status, run.reason, run.counts.succeeded], ["stopped", "Stopped on request", 2]);
        assert.equal((await starting).status, "stopped");
        const { uri: partly } = await engine.export(run.id, {
          output: `${harness.outputPrefix}partly.csv`,
          format: "csv",
        });
        assert.equal(await harness.read(partly), "a,field,extra\n1,<1>,1\n2,<2>,1\n3,,\n4,,\n5,,\n");
        stopped.gate.open.resolve();
        const resumed = await engine.resume(run.id);
        assert.deepEqual([resumed.id, resumed.status, resumed.counts.succeeded], [run.id, "succeeded", 5]);
        assert.ok(harness.endpoint.calls.includes("RedriveExecution"));
        assert.deepEqual(
          ["1", "2"].map((a) => stopped.gate.seen.filter((seen) => seen === a).length),
          [1, 1],
        );
      },
    );

    const changed = gated();
    check(
      "limits that were changed after a stop hold in the run that goes on with it",
      changed.invoke,
      async (harness) => {
        const { engine } = harness;
        const input = await harness.writeInput(fiveRows);
        const starting = engine.start({ batch: batchOf(harness, { input }), name: "changed" });
        await changed.gate.entered.promise;
        await doneOf(engine, "changed", 2);
        await engine.stop("changed");
        await starting;
        await engine.adjust("changed", { maxConcurrency: 1 });
        changed.gate.open.resolve();
        const notices: string[] = [];
        const resumed = await engine.resume("changed", {
          onEvent: (event) => void (event.type === "notice" && notices.push(event.message)),
        });
        const before = await engine.describe("changed");
        assert.deepEqual(notices, [`Run ${resumed.id} goes on with run ${before.id}`]);
        assert.deepEqual([resumed.status, resumed.counts.succeeded], ["succeeded", 5]);
        assert.equal((await engine.resume("changed")).id, resumed.id, "it is the one that went on");
        assert.deepEqual(await engine.limits(resumed.id), { maxConcurrency: 1 });
        assert.equal(changed.gate.seen.filter((seen) => seen === "1").length, 1);
        assert.match(resumed.outputUri ?? "", /\/out\//);
      },
    );

    let isMended = false;
    check(
      "a run that another went on with is deleted with that one; all that lies in S3 of them is gone",
      async (input, context) => {
        if (input["a"] === "2" && !isMended) throw new RowcallError("CHOICE_NONE", "none");
        return echo(input, context);
      },
      async (harness) => {
        const { engine, services, bucketUri, env, directory } = harness;
        const input = await harness.writeInput("a\n1\n2\n");
        const first = await engine.start({ batch: batchOf(harness, { input }), name: "first" });
        await services.store.write(`${first.recordingsUri ?? ""}/0-1/page.png`, Buffer.from("seen"));
        isMended = true;
        const second = await engine.rerun(first.id);
        assert.notEqual(second.id, first.id);
        await assert.rejects(engine.delete([first.id]), {
          code: "RUN_CONFLICT",
          hint: `Delete both: rowcall delete ${second.id} ${first.id}`,
        });
        assert.equal((await Array.fromAsync(engine.rows(second.id))).length, 2);
        const [deleted] = await engine.delete([first.id, second.id]);
        const listed = async (uri: string): Promise<number> =>
          (await Array.fromAsync(services.store.list(`${uri}/`))).length;
        for (const uri of [
          (env["ROWCALL_RUNS_URI"] ?? "").replace(/\/$/, ""),
          first.recordingsUri ?? "",
          `${bucketUri}/outputs/first`,
          `${bucketUri}/outputs/${second.id}`,
        ])
          assert.equal(await listed(uri), 0, uri);
        assert.deepEqual(await readdir(join(directory, "data", "aws")), []);
        assert.match(deleted?.left.at(-1)?.why ?? "", /AWS keeps executions .* 90 days/);
        assert.equal((await engine.describe("first")).name, "first");
        assert.deepEqual((await engine.delete([first.id]))[0]?.removed, []);
      },
    );

    check("notifications are sent from here when all are asked for", echo, async (harness) => {
      const { engine, told } = harness;
      const input = await harness.writeInput("a\n1\n");
      const notification_config = { channels: ["test:", "nowhere:"] };
      const run = await engine.start({ batch: batchOf(harness, { input, notification_config }) });
      assert.equal(told.length, 1);
      await assert.rejects(engine.notify(run.id), { code: "USAGE_INVALID", hint: /--all/ });
      const deliveries = await engine.notify(run.id, { all: true });
      assert.deepEqual(
        deliveries.map(({ channel, status, error }) => [channel, status, error?.code]),
        [
          ["test:", "delivered", undefined],
          ["nowhere:", "failed", "CHANNEL_UNKNOWN"],
        ],
      );
      assert.equal(engine.deliveries, undefined, "nobody keeps account there");
    });
  });
});
