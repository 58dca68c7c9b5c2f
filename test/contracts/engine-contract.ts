import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { parseBatch } from "../../src/core/batch-file.ts";
import type { Notification } from "../../src/core/channel.ts";
import type { Engine, RowReport, RunEvent, StartRequest } from "../../src/core/engine.ts";
import { RowcallError } from "../../src/core/errors.ts";
import { parseJson, type JsonValue } from "../../src/core/json.ts";
import type { TestInvoke } from "../fakes/services.ts";
import { unstorableJson, unstorableValues } from "../fixtures/unstorable.ts";

/** What an engine can do itself, and what is the business of who runs the rows for it. */
export interface EngineAbilities {
  /** Rows are run in this process: it can be drained, and nobody else runs them meanwhile. */
  readonly runsHere: boolean;
  /** Every attempt of a row is remembered, and not the one alone that decided it. */
  readonly keepsAttempts: boolean;
  /** A run that is gone on with stays the same run; else another one takes over what it has decided. */
  readonly staysTheSameRun: boolean;
  /** Channels are told by the engine, which keeps account of it. */
  readonly tellsItself: boolean;
  /** Nothing at all is known of a run that was deleted; else its execution can still be described. */
  readonly forgetsRuns: boolean;
}

const everything: EngineAbilities = {
  runsHere: true,
  keepsAttempts: true,
  staysTheSameRun: true,
  tellsItself: true,
  forgetsRuns: true,
};

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

const echo: TestInvoke = async (input) => ({ structured_output: { field: `<${String(input["a"])}>`, extra: 1 } });

/** Runs the suite that every engine passes. */
export function describeEngine(
  name: string,
  open: (invoke: TestInvoke) => Promise<EngineHarness>,
  { runsHere, keepsAttempts, staysTheSameRun, tellsItself, forgetsRuns }: EngineAbilities = everything,
): void {
  // Where only the last attempt is remembered, its number says how many there were.
  const attemptsOf = ({ attempts }: RowReport): number | undefined =>
    keepsAttempts ? attempts.length : attempts.at(-1)?.number;
  const check = (title: string, invoke: TestInvoke, test: (harness: EngineHarness) => Promise<void>): void =>
    void it(title, async () => {
      const harness = await open(invoke);
      try {
        await test(harness);
      } finally {
        await harness.close();
      }
    });

  const request = async (harness: EngineHarness, text: string, over: object = {}): Promise<StartRequest> => ({
    batch: parseBatch(
      {
        agent_name: "echo",
        input: await harness.writeInput(text),
        output: harness.outputPrefix,
        execution_config: { max_concurrency: 3, retry_strategy: { max_attempts: 2, interval_seconds: 0 } },
        ...over,
      },
      "test batch",
    ),
  });
  const mask = (csv: string): string => csv.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+/g, "T,MS");

  describe(`engine ${name}`, () => {
    const unstorable = runsHere ? unstorableValues : unstorableJson;
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

    if (runsHere) {
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
    }

    check(
      "a column that is called __proto__ is one like others",
      async (input) => {
        // Step Functions tells a state machine who started it.
        const given = Object.entries(input).filter(([name]) => !name.startsWith("AWS_")) as JsonValue;
        return { structured_output: { field: given, extra: 1 } };
      },
      async (harness) => {
        const over = { output_mapping: { structured_output_fields: ["field"], add_metadata: false } };
        const run = await harness.engine.start(await request(harness, "__proto__,b\n1,2\n", over));
        const cell = '"[[""__proto__"",""1""],[""b"",""2""]]"';
        assert.equal(await harness.read(run.outputUri ?? ""), `__proto__,b,field\n1,2,${cell}\n`);
        const { uri } = await harness.engine.export(run.id, {
          output: `${harness.outputPrefix}x.jsonl`,
          format: "jsonl",
        });
        const line = '{"__proto__":"1","b":"2","field":[["__proto__","1"],["b","2"]]}';
        assert.equal(await harness.read(uri), `${line}\n`);
      },
    );

    check("a table without rows keeps its last bytes", echo, async (harness) => {
      const over = { output_mapping: { add_metadata: false } };
      const run = await harness.engine.start(await request(harness, "a,text\r\n\r\n", over));
      assert.equal(await harness.read(run.outputUri ?? ""), "a,text,field,extra\r\n\r\n");
    });

    check(
      "half of a character is written as U+FFFD and warned about, and kept in JSON Lines",
      async () => ({ structured_output: { field: "cut \ud83d", extra: 1 } }),
      async (harness) => {
        const warnings: string[] = [];
        const over = { output_mapping: { add_metadata: false } };
        const run = await harness.engine.start(await request(harness, "a\n1\n", over), {
          onEvent: (event) => event.type === "warning" && warnings.push(event.message),
        });
        assert.equal(await harness.read(run.outputUri ?? ""), "a,field,extra\n1,cut \ufffd,1\n");
        assert.deepEqual(warnings, ["An answer holds half of a character (a lone surrogate): written as \ufffd"]);
        const written = await harness.engine.export(run.id, { output: `${harness.outputPrefix}x.csv`, format: "csv" });
        assert.deepEqual(
          written.warnings.map(({ message }) => message),
          warnings,
        );
        const lines = await harness.engine.export(run.id, {
          output: `${harness.outputPrefix}x.jsonl`,
          format: "jsonl",
        });
        assert.deepEqual(lines.warnings, []);
        assert.equal(await harness.read(lines.uri), '{"a":"1","field":"cut \\ud83d","extra":1}\n');
      },
    );

    check("writes every row back in order, original bytes first, then fields, then metadata", echo, async (harness) => {
      const run = await harness.engine.start(await request(harness, 'a,b\n1,"x, y"\n02, z \n'));
      assert.equal(run.status, "succeeded");
      assert.deepEqual(run.counts, { total: 2, succeeded: 2, failed: 0, inFlight: 0, pending: 0 });
      assert.match(run.outputUri ?? "", /result-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.csv$/);
      assert.equal(
        mask(await harness.read(run.outputUri ?? "")),
        'a,b,field,extra,_status,_timestamp,_execution_time_ms\n1,"x, y",<1>,1,SUCCESS,T,MS\n02, z ,<02>,1,SUCCESS,T,MS\n',
      );
    });

    check(
      "keeps a failed row, its message beside it, and goes on",
      async (input, context) => {
        if (input["a"] === "2") throw new RowcallError("CHOICE_NONE", "No address fits");
        return echo(input, context);
      },
      async (harness) => {
        const run = await harness.engine.start(await request(harness, "a\n1\n2\n3\n"));
        assert.equal(run.status, "succeeded");
        assert.deepEqual([run.counts.succeeded, run.counts.failed], [2, 1]);
        const lines = mask(await harness.read(run.outputUri ?? "")).split("\n");
        assert.equal(lines[0], "a,field,extra,_status,_timestamp,_execution_time_ms,_error_message");
        assert.equal(lines[2], "2,,,FAILED,T,MS,No address fits");
      },
    );

    check(
      "gives the seed's message when the agent returns no structured output",
      async () => ({ answer: 42 }),
      async (harness) => {
        const run = await harness.engine.start(await request(harness, "a\n1\n"));
        assert.match(await harness.read(run.outputUri ?? ""), /,FAILED,.*,Agent did not return structured output\n$/);
      },
    );

    check(
      "gives the seed's message when the agent takes too long",
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
      async (harness) => {
        const run = await harness.engine.start(
          await request(harness, "a\n1\n", {
            execution_config: { timeout_seconds: 0.02, retry_strategy: { max_attempts: 0 } },
          }),
        );
        assert.match(await harness.read(run.outputUri ?? ""), /,FAILED,.*,Execution timeout\n$/);
      },
    );

    const calls = new Map<string, number>();
    check(
      "tries a passing failure again, and not a lasting one",
      async (input, context) => {
        const a = String(input["a"]);
        calls.set(a, (calls.get(a) ?? 0) + 1);
        if (a === "flaky" && calls.get(a) === 1) throw new Error("connection lost");
        if (a === "wrong") throw new RowcallError("ROW_INVALID", "not an address");
        if (a === "dead") throw new Error("always");
        return echo(input, context);
      },
      async (harness) => {
        const run = await harness.engine.start(await request(harness, "a\nflaky\nwrong\ndead\n"));
        assert.deepEqual(Object.fromEntries(calls), { flaky: 2, wrong: 1, dead: 3 });
        const reports = await Array.fromAsync(harness.engine.rows(run.id));
        assert.deepEqual(
          reports.map((r) => [r.status, attemptsOf(r)]),
          [
            ["succeeded", 2],
            ["failed", 1],
            ["failed", 3],
          ],
        );
      },
    );

    const called: string[] = [];
    check(
      "fails rows that cannot be mapped without calling the agent",
      async (input, context) => {
        called.push(String(input["a"]));
        return echo(input, context);
      },
      async (harness) => {
        const mapping = { column_mappings: [{ csv_column: "a", agent_input_field: "a", required: true }] };
        const run = await harness.engine.start(
          await request(harness, "a,b\n1,x\n,y\n3\n4,z\n", { input_mapping: mapping }),
        );
        assert.deepEqual(called, ["1", "4"]);
        const codes = (await Array.fromAsync(harness.engine.rows(run.id, { status: "failed" }))).map((r) => {
          const outcome = r.attempts[0]?.outcome;
          return outcome?.status === "failed" ? [r.line, outcome.code] : [];
        });
        assert.deepEqual(codes, [
          [3, "ROW_VALUE_MISSING"],
          [4, "ROW_RAGGED"],
        ]);
      },
    );

    check("writes a header and nothing else for a header without rows", echo, async (harness) => {
      const run = await harness.engine.start(await request(harness, "a,b\n"));
      assert.equal(run.status, "succeeded");
      assert.equal(await harness.read(run.outputUri ?? ""), "a,b,field,extra,_status,_timestamp,_execution_time_ms\n");
    });

    check(
      "refuses bad input before the agent is opened",
      async () => assert.fail("the agent was called"),
      async (harness) => {
        const start = async (text: string, over: object = {}): Promise<unknown> =>
          harness.engine.start(await request(harness, text, over));
        await assert.rejects(start(""), { code: "INPUT_EMPTY" });
        await assert.rejects(start('a\n"1\n2\n'), { code: "INPUT_MALFORMED" });
        await assert.rejects(start("a,field\n1,2\n"), { code: "COLUMN_COLLISION" });
        await assert.rejects(start("a\n1\n", { input_mapping: { column_mappings: { aa: "a" } } }), {
          code: "COLUMN_MISSING",
        });
        await assert.rejects(start("a\n1\n", { agent_name: "ecko" }), { code: "AGENT_NOT_FOUND" });
        await assert.rejects(start("a\n1\n", { output_mapping: { structured_output_fields: ["feild"] } }), {
          code: "FIELD_UNKNOWN",
          hint: /field/,
        });
        assert.deepEqual(await harness.engine.list(), []);
      },
    );

    check("runs a part of the rows when asked", echo, async (harness) => {
      const all = await request(harness, "a\n0\n1\n2\n3\n4\n5\n");
      const run = await harness.engine.start({
        ...all,
        rows: [
          [1, 2],
          [4, 5],
        ],
        limit: 3,
      });
      assert.equal(run.counts.total, 3);
      assert.equal(
        mask(await harness.read(run.outputUri ?? "")).replaceAll(",1,SUCCESS,T,MS", ""),
        "a,field,extra,_status,_timestamp,_execution_time_ms\n1,<1>\n2,<2>\n4,<4>\n",
      );
      await assert.rejects(harness.engine.start({ ...all, rows: [[0, 6]] }), { code: "USAGE_INVALID" });
    });

    let sameCalls = 0;
    check(
      "runs the agent once for rows with the same input when asked",
      async (input, context) => {
        sameCalls += 1;
        return echo(input, context);
      },
      async (harness) => {
        const over = { input_mapping: { column_mappings: { a: "a" } }, execution_config: { dedupe: true } };
        const run = await harness.engine.start(await request(harness, "a,id\nx,1\ny,2\nx,3\nx,4\n", over));
        assert.equal(sameCalls, 2);
        assert.deepEqual([run.counts.succeeded, run.counts.pending], [4, 0]);
        assert.deepEqual(
          (await Array.fromAsync(harness.engine.rows(run.id))).map((r) => [r.status, r.sameAs]),
          [
            ["succeeded", undefined],
            ["succeeded", undefined],
            ["succeeded", 0],
            ["succeeded", 0],
          ],
        );
        assert.match(mask(await harness.read(run.outputUri ?? "")), /x,4,<x>,1,SUCCESS/);
      },
    );

    check(
      "stops a hopeless batch, writes what there is, and leaves the rest to a resume",
      async () => {
        throw new RowcallError("ROW_INVALID", "no");
      },
      async (harness) => {
        const rows = Array.from({ length: 2000 }, (_, i) => `${i}\n`).join("");
        const run = await harness.engine.start(
          await request(harness, `a\n${rows}`, {
            execution_config: { max_concurrency: 1, tolerated_failure_count: 5 },
          }),
        );
        assert.equal(run.status, "stopped");
        assert.match(run.reason ?? "", /more than the tolerated 5/);
        assert.deepEqual([run.counts.failed, run.counts.pending], [6, 1994]);
        assert.match(await harness.read(run.outputUri ?? ""), /,PENDING,,/);
      },
    );

    check("gives the same run for the same name, and refuses another batch under it", echo, async (harness) => {
      const start = { ...(await request(harness, "a\n1\n")), name: "nightly" };
      const first = await harness.engine.start(start);
      const second = await harness.engine.start(start);
      assert.deepEqual([second.id, second.outputUri, second.name], [first.id, first.outputUri, "nightly"]);
      await harness.writeInput("a\n1\n2\n");
      await assert.rejects(harness.engine.start(start), { code: "RUN_CONFLICT" });
      assert.equal((await harness.engine.describe("nightly")).id, first.id);
    });

    const mended = { now: false };
    check(
      "attempts failed rows again, all or those with a code, and writes the whole table again",
      async (input, context) => {
        if (input["a"] === "2" && !mended.now) throw new RowcallError("CHOICE_NONE", "none");
        if (input["a"] === "3" && !mended.now) throw new RowcallError("NEEDS_HUMAN", "captcha");
        return echo(input, context);
      },
      async (harness) => {
        const first = await harness.engine.start(await request(harness, "a\n1\n2\n3\n"));
        assert.equal(first.counts.failed, 2);
        mended.now = true;
        const second = await harness.engine.rerun(first.id, { codes: ["CHOICE_NONE"] });
        assert.deepEqual([second.counts.succeeded, second.counts.failed], [2, 1]);
        const third = await harness.engine.rerun(first.id);
        assert.equal(second.id === first.id && third.id === first.id, staysTheSameRun);
        assert.equal(third.counts.failed, 0);
        assert.doesNotMatch(await harness.read(third.outputUri ?? ""), /FAILED|_error_message/);
        const reports = await Array.fromAsync(harness.engine.rows(third.id));
        assert.deepEqual(
          reports.map((r) => attemptsOf(r)),
          [1, 2, 2],
        );
      },
    );

    const gate = { open: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>() };
    const seen: string[] = [];
    check(
      "drains on request and goes on where it was",
      async (input, context) => {
        seen.push(String(input["a"]));
        gate.entered.resolve();
        await gate.open.promise;
        return echo(input, context);
      },
      async (harness) => {
        const drain = new AbortController();
        const running = harness.engine.start(await request(harness, "a\n1\n2\n3\n4\n5\n6\n"), { drain: drain.signal });
        await gate.entered.promise;
        const [going] = await harness.engine.list();
        assert.equal(going?.status, "running");
        if (runsHere) await assert.rejects(harness.reopen().resume(going?.id ?? ""), { code: "RUN_BUSY" });
        drain.abort();
        if (runsHere) gate.open.resolve();
        const stopped = await running;
        assert.equal(stopped.status, runsHere ? "interrupted" : "running");
        if (runsHere) assert.equal(stopped.counts.succeeded, seen.length);
        assert.equal(stopped.outputUri, undefined);
        gate.open.resolve();
        const run = await harness.engine.resume(stopped.id);
        assert.deepEqual([run.status, run.counts.succeeded], ["succeeded", 6]);
        assert.deepEqual(seen.toSorted(), ["1", "2", "3", "4", "5", "6"]);
      },
    );

    const wide = { running: 0, most: 0, entered: Promise.withResolvers<void>(), open: Promise.withResolvers<void>() };
    check(
      "takes more rows at once as soon as another process says so, and remembers it",
      async (input, context) => {
        wide.running += 1;
        wide.most = Math.max(wide.most, wide.running);
        wide.entered.resolve();
        if (wide.running === 4) wide.open.resolve();
        await wide.open.promise;
        wide.running -= 1;
        return echo(input, context);
      },
      async (harness) => {
        const one = { execution_config: { max_concurrency: 1, tolerated_failure_count: 3 } };
        const start = { ...(await request(harness, "a\n1\n2\n3\n4\n5\n6\n", one)), name: "wide" };
        const running = harness.engine.start(start);
        await wide.entered.promise;
        const other = harness.reopen();
        assert.deepEqual(await other.limits("wide"), { maxConcurrency: 1, toleratedFailureCount: 3 });
        await assert.rejects(other.adjust("wide", { maxConcurrency: 0 }), { code: "USAGE_INVALID" });
        await assert.rejects(other.adjust("wide", { toleratedFailurePercentage: 101 }), { code: "USAGE_INVALID" });
        await other.adjust("wide", { maxConcurrency: 4 });
        const run = await running;
        assert.deepEqual([run.counts.succeeded, wide.most], [6, 4]);
        assert.deepEqual(await harness.engine.limits("wide"), { maxConcurrency: 4, toleratedFailureCount: 3 });
        assert.equal((await harness.engine.start(start)).id, run.id, "it is still the same batch");
      },
    );

    const strict = Promise.withResolvers<void>();
    check(
      "stops when fewer failures are tolerated than there are already",
      async (input, context) => {
        if (Number(input["a"]) < 2) throw new RowcallError("ROW_INVALID", "no");
        strict.resolve();
        await wait(5);
        return echo(input, context);
      },
      async (harness) => {
        const rows = Array.from({ length: 5000 }, (_, i) => `${i}\n`).join("");
        const start = await request(harness, `a\n${rows}`, { execution_config: { max_concurrency: 1 } });
        const running = harness.engine.start({ ...start, name: "strict" });
        await strict.promise;
        await harness.reopen().adjust("strict", { toleratedFailureCount: 1 });
        const run = await running;
        assert.equal(run.status, "stopped");
        assert.match(run.reason ?? "", /^2 rows failed, more than the tolerated 1$/);
      },
    );

    if (runsHere) {
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
    }

    const repaired = { now: false };
    check(
      "attempts only the failed rows that are chosen again",
      async (input, context) => {
        if (!repaired.now) throw new RowcallError("ROW_INVALID", `no ${String(input["a"])}`);
        return echo(input, context);
      },
      async (harness) => {
        repaired.now = false;
        const start = await request(harness, "a\n0\n1\n2\n3\n", {
          execution_config: { retry_strategy: { max_attempts: 0 } },
        });
        const first = await harness.engine.start(start);
        assert.equal(first.counts.failed, 4);
        repaired.now = true;
        const second = await harness.engine.rerun(first.id, {
          rows: [
            [1, 1],
            [3, 9],
          ],
        });
        assert.deepEqual([second.counts.succeeded, second.counts.failed], [2, 2]);
        const third = await harness.engine.rerun(first.id, { rows: [[0, 3]], codes: ["TIMEOUT"] });
        assert.deepEqual(third.counts, second.counts);
        const output = `${harness.outputPrefix}failed.csv`;
        await harness.engine.export(third.id, { output, format: "csv", failedOnly: true });
        assert.deepEqual(
          (await harness.read(output)).split("\n").map((line) => line.split(",")[0]),
          ["a", "0", "2", ""],
        );
      },
    );

    check(
      "shows rows by pages, what became of them all, and the batch",
      async (input, context) => {
        if (input["a"] === "2") throw new RowcallError("ROW_INVALID", "no 2");
        return echo(input, context);
      },
      async (harness) => {
        const start = await request(harness, "a\n0\n1\n2\n3\n");
        const { id } = await harness.engine.start(start);
        const first = await harness.engine.page(id, { limit: 3 });
        const second = await harness.engine.page(id, { limit: 3, after: first.next ?? "" });
        const reports = await Array.fromAsync(harness.engine.rows(id));
        assert.deepEqual([...first.rows, ...second.rows], reports);
        assert.equal(second.next, undefined);
        const failed = await harness.engine.page(id, { limit: 9, status: "failed" });
        assert.deepEqual(failed.rows, [reports[2]]);
        const { failures, slowest, attempts } = await harness.engine.survey(id);
        assert.deepEqual(
          failures.map(({ code, count, row, line, message }) => [code, count, row, line, message]),
          [["ROW_INVALID", 1, 2, 4, "no 2"]],
        );
        assert.deepEqual(
          slowest.map(({ row }) => row).toSorted((a, b) => a - b),
          [0, 1, 2, 3],
        );
        assert.equal(attempts, 4);
        const { agent, inputMapping } = await harness.engine.batch(id);
        assert.deepEqual([agent, inputMapping], [start.batch.agent, start.batch.inputMapping]);
      },
    );

    check("lists the runs that are asked for, a page at a time", echo, async (harness) => {
      const ids: string[] = [];
      for (const name of ["Alpha", "beta", "alphabet"]) {
        ids.push((await harness.engine.start({ ...(await request(harness, "a\n1\n")), name })).id);
      }
      const list = async (query: object): Promise<number[]> =>
        (await harness.engine.list(query)).map(({ id }) => ids.indexOf(id));
      assert.deepEqual(await list({}), [2, 1, 0]);
      assert.deepEqual(await list({ text: "ALPHA" }), [2, 0]);
      assert.deepEqual(await list({ text: "echo", limit: 2 }), [2, 1]);
      assert.deepEqual(await list({ before: ids[1], limit: 9 }), [0]);
      assert.deepEqual(await list({ status: "succeeded", text: "bet" }), [2, 1]);
      assert.deepEqual(await list({ status: "running" }), []);
      assert.deepEqual(await list({ agent: "echo@1.2.3", limit: 1 }), [2]);
      assert.deepEqual(await list({ agent: "echo@1.2" }), []);
      assert.deepEqual(await list({ idPrefix: ids[1], limit: 2 }), [1]);
      assert.deepEqual(await list({ idPrefix: ids[1]?.slice(0, 4), limit: 2 }), [2, 1]);
      assert.deepEqual(await list({ idPrefix: ids[1]?.slice(1) }), []);
    });

    check("reports a part of the rows when asked", echo, async (harness) => {
      const run = await harness.engine.start({
        ...(await request(harness, "a\n0\n1\n2\n3\n4\n")),
        rows: [
          [0, 1],
          [3, 4],
        ],
      });
      const reports = await Array.fromAsync(harness.engine.rows(run.id, { rows: [[1, 3]] }));
      assert.deepEqual(
        reports.map((report) => report.row),
        [1, 3],
      );
    });

    check("exports again with another mapping, and as JSON Lines", echo, async (harness) => {
      const run = await harness.engine.start(await request(harness, "a\n1\n"));
      const { outputMapping } = parseBatch(
        {
          agent_name: "echo",
          output_mapping: { structured_output_fields: ["extra"], add_metadata: false, include_original: false },
        },
        "b",
      );
      const { uri: csv } = await harness.engine.export(run.id, {
        output: `${harness.outputPrefix}again.csv`,
        format: "csv",
        outputMapping,
      });
      assert.equal(await harness.read(csv), "extra\n1\n");
      const { uri: jsonl } = await harness.engine.export(run.id, {
        output: `${harness.outputPrefix}again.jsonl`,
        format: "jsonl",
      });
      const { _timestamp, _execution_time_ms, ...record } = JSON.parse(await harness.read(jsonl)) as Record<
        string,
        unknown
      >;
      assert.deepEqual(record, { a: "1", field: "<1>", extra: 1, _status: "SUCCESS" });
      assert.match(String(_timestamp), /Z$/);
      assert.equal(typeof _execution_time_ms, "number");
    });

    check("writes JSON Lines where the name of its output says so", echo, async (harness) => {
      const output = `${harness.outputPrefix}table.jsonl`;
      const over = { output, output_mapping: { add_metadata: false } };
      const run = await harness.engine.start(await request(harness, "a\n1\n2\n", over));
      assert.deepEqual([run.status, run.outputUri], ["succeeded", output]);
      const lines = (await harness.read(output)).split("\n");
      assert.deepEqual(lines, ['{"a":"1","field":"<1>","extra":1}', '{"a":"2","field":"<2>","extra":1}', ""]);
    });

    check("keeps every cell as JSON Lines, also under repeated names and beyond the header", echo, async (harness) => {
      const table = "id,x,x\n1,2,3\n4,5,6,7\n";
      const input = { uri: await harness.writeInput(table), ragged: "keep" };
      const over = { input, input_mapping: { column_mappings: { id: "a" } }, output_mapping: { add_metadata: false } };
      const run = await harness.engine.start(await request(harness, table, over));
      const { uri } = await harness.engine.export(run.id, {
        output: `${harness.outputPrefix}all.jsonl`,
        format: "jsonl",
      });
      const records = (await harness.read(uri))
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown);
      assert.deepEqual(records, [
        { id: "1", x: "2", x_2: "3", _extra_1: "", field: "<1>", extra: 1 },
        { id: "4", x: "5", x_2: "6", _extra_1: "7", field: "<4>", extra: 1 },
      ]);
    });

    check("does not replace an output file unless told to", echo, async (harness) => {
      const output = `${harness.outputPrefix}fixed.csv`;
      const once = await request(harness, "a\n1\n", { output });
      await harness.engine.start(once);
      await assert.rejects(harness.engine.start(once), { code: "OUTPUT_EXISTS" });
      assert.equal(
        (await harness.engine.start({ ...once, force: true })).outputUri,
        (await harness.engine.list())[0]?.outputUri,
      );
    });

    check(
      "warns once of a field that no row had, and tells the channels how it went",
      async () => ({ structured_output: { field: "x" } }),
      async (harness) => {
        const events: RunEvent[] = [];
        const notification_config = { enabled: true, channels: ["test:", "nowhere:"] };
        await harness.engine.start(await request(harness, "a\n1\n2\n", { notification_config }), {
          onEvent: (event) => void events.push(event),
        });
        const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
        assert.deepEqual(warnings, [
          "Field extra not found in structured output",
          ...(tellsItself ? ["The notification to nowhere: failed: No channel nowhere:"] : []),
        ]);
        assert.deepEqual(
          harness.told.map((n) => [n.kind, n.run.counts.succeeded]),
          [["success", 2]],
        );
      },
    );

    const told = { notification_config: { channels: ["test:"] } };
    if (tellsItself) {
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
        const [failed, ...others] = await engine.deliveries(run.id);
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
        assert.deepEqual(await engine.notify(run.id), await engine.deliveries(run.id));
        assert.equal(harness.told.length, 1);
        const [again] = await engine.notify(run.id, { all: true });
        assert.equal(harness.told.length, 2);
        const deliveries = await engine.deliveries(run.id);
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
            (await engine.deliveries(run.id)).map(({ kind, status }) => [kind, status]),
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
    }

    check("tells nobody of what the batch has switched off", echo, async (harness) => {
      const notification_config = { channels: ["test:"], success_notification: false };
      const run = await harness.engine.start(await request(harness, "a\n1\n", { notification_config }));
      assert.deepEqual(await harness.engine.notify(run.id, { all: true }), []);
      assert.deepEqual([harness.told, await harness.engine.deliveries(run.id)], [[], []]);
    });

    check("of a run that was deleted nothing is left but what its batch names", echo, async (harness) => {
      const { engine } = harness;
      const start = { ...(await request(harness, "a\n1\n2\n")), name: "doomed" };
      const run = await engine.start(start);
      const other = await engine.start(await request(harness, "a\n3\n"));
      const [deleted, ...others] = await engine.delete(["doomed"]);
      assert.ok(deleted !== undefined && others.length === 0);
      assert.deepEqual([deleted.id, deleted.name, deleted.rows], [run.id, "doomed", 2]);
      assert.ok(
        deleted.removed.some((place) => place.endsWith(run.id)),
        deleted.removed.join(" "),
      );
      assert.ok(deleted.left.some(({ uri }) => uri === run.outputUri));
      for (const call of [
        () => engine.page(run.id, { limit: 1 }),
        () => Array.fromAsync(engine.rows(run.id)),
        () => engine.export(run.id, { output: `${harness.outputPrefix}x.csv`, format: "csv" }),
        () => engine.batch(run.id),
        () => harness.reopen().page(run.id, { limit: 1 }),
      ])
        await assert.rejects(call(), { code: "RUN_NOT_FOUND" });
      assert.match(await harness.read(run.outputUri ?? ""), /^1,<1>,/m);
      assert.equal((await Array.fromAsync(engine.rows(other.id)))[0]?.status, "succeeded");
      if (forgetsRuns) {
        assert.deepEqual(
          (await engine.list()).map(({ id }) => id),
          [other.id],
        );
        await assert.rejects(engine.delete([run.id]), { code: "RUN_NOT_FOUND" });
        assert.notEqual((await engine.start(start)).id, run.id);
      } else {
        const [again] = await engine.delete([run.id]);
        assert.deepEqual(again?.removed, []);
      }
      assert.deepEqual(await engine.delete([]), []);
    });

    const deleting = { open: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>() };
    check(
      "a run in flight is not deleted, and goes on",
      async (input, context) => {
        deleting.entered.resolve();
        await deleting.open.promise;
        return echo(input, context);
      },
      async (harness) => {
        Object.assign(deleting, { open: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>() });
        const starting = harness.engine.start({ ...(await request(harness, "a\n1\n")), name: "going" });
        await deleting.entered.promise;
        await assert.rejects(harness.reopen().delete(["going"]), { code: "RUN_BUSY", hint: /rowcall stop/ });
        deleting.open.resolve();
        assert.equal((await starting).counts.succeeded, 1);
      },
    );

    check("does not know a run that is not there", echo, async ({ engine }) => {
      for (const call of [
        () => engine.describe("x"),
        () => engine.resume("x"),
        () => engine.stop("x"),
        () => engine.rerun("x"),
        () => engine.notify("x"),
        () => engine.deliveries("x"),
        () => engine.page("x", { limit: 1 }),
        () => engine.survey("x"),
        () => engine.batch("x"),
        () => engine.delete(["x"]),
      ]) {
        await assert.rejects(call(), { code: "RUN_NOT_FOUND", message: 'There is no run "x"' });
      }
    });
  });
}
