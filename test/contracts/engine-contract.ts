import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { parseBatch } from "../../src/core/batch-file.ts";
import type { RunEvent } from "../../src/core/engine.ts";
import { RowcallError } from "../../src/core/errors.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { unstorableJson } from "../fixtures/unstorable.ts";
import { checkUnstorable, echo, engineTests, mask, request, type OpenHarness } from "./engine-harness.ts";

/** Runs the suite that every engine passes. */
export function describeEngine(name: string, open: OpenHarness): void {
  const check = engineTests(open);
  describe(`engine ${name}`, () => {
    checkUnstorable(check, unstorableJson);

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
          reports.map((r) => [r.status, r.attempts.at(-1)?.number]),
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
        assert.equal(third.counts.failed, 0);
        assert.doesNotMatch(await harness.read(third.outputUri ?? ""), /FAILED|_error_message/);
        const reports = await Array.fromAsync(harness.engine.rows(third.id));
        assert.deepEqual(
          reports.map((r) => r.attempts.at(-1)?.number),
          [1, 2, 2],
        );
      },
    );

    const drained = {
      open: Promise.withResolvers<void>(),
      entered: Promise.withResolvers<void>(),
      seen: [] as string[],
    };
    check(
      "returns before the end of its rows when asked to drain, and goes on where it was",
      async (input, context) => {
        drained.seen.push(String(input["a"]));
        drained.entered.resolve();
        await drained.open.promise;
        return echo(input, context);
      },
      async (harness) => {
        Object.assign(drained, {
          open: Promise.withResolvers<void>(),
          entered: Promise.withResolvers<void>(),
          seen: [],
        });
        const drain = new AbortController();
        const starting = harness.engine.start(await request(harness, "a\n1\n2\n3\n4\n5\n6\n"), { drain: drain.signal });
        await drained.entered.promise;
        assert.equal((await harness.engine.list())[0]?.status, "running");
        drain.abort();
        drained.open.resolve();
        const { id } = await starting;
        const run = await harness.engine.resume(id);
        assert.deepEqual([run.status, run.counts.succeeded], ["succeeded", 6]);
        assert.deepEqual(drained.seen.toSorted(), ["1", "2", "3", "4", "5", "6"]);
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
        assert.deepEqual(await harness.engine.failures(id), failures);
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
        const fields = warnings.filter((message) => message.startsWith("Field "));
        assert.deepEqual(fields, ["Field extra not found in structured output"]);
        assert.deepEqual(
          harness.told.map((n) => [n.kind, n.run.counts.succeeded]),
          [["success", 2]],
        );
      },
    );

    check("tells nobody of what the batch has switched off", echo, async (harness) => {
      const notification_config = { channels: ["test:"], success_notification: false };
      const run = await harness.engine.start(await request(harness, "a\n1\n", { notification_config }));
      assert.deepEqual(await harness.engine.notify(run.id, { all: true }), []);
      assert.deepEqual(harness.told, []);
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
        () => engine.page("x", { limit: 1 }),
        () => engine.survey("x"),
        () => engine.failures("x"),
        () => engine.batch("x"),
        () => engine.delete(["x"]),
      ]) {
        await assert.rejects(call(), { code: "RUN_NOT_FOUND", message: 'There is no run "x"' });
      }
    });
  });
}
