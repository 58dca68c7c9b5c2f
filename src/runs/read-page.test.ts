import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import * as fc from "fast-check";
import { parseBatch } from "../core/batch-file.ts";
import type { Engine, RowQuery, RowReport } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import { openStores } from "../stores/open-store.ts";
import { createTestServices } from "../../test/fakes/services.ts";
import { openLocalEngine } from "../engines/local/local-engine.ts";

describe("pages of rows", () => {
  let directory: string;
  let engine: Engine;
  let run: string;
  let all: RowReport[];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "rowcall-pages-"));
    let now = 0;
    let elapsed = 0;
    const services = createTestServices({
      store: openStores({ baseDirectory: directory }),
      clock: () => (now += 7),
      monotonic: () => (elapsed += 1 + ((elapsed * 7) % 13)),
      invoke: async (input) => {
        const n = Number(input["n"]);
        if (n % 7 === 3) throw new RowcallError("ROW_INVALID", `Row of ${n} is Odd`);
        if (n % 11 === 5) throw new RowcallError("TIMEOUT", "Execution timeout");
        return { structured_output: { field: `Value ${n * 2}`, extra: n % 3 === 0 } };
      },
    });
    engine = openLocalEngine({ services, dataDirectory: join(directory, "data") });
    const lines = Array.from({ length: 400 }, (_, n) => `${n % 250},"Straße ${n % 13}, x"\n`).join("");
    await writeFile(join(directory, "in.csv"), `n,text\n${lines}`);
    const batch = parseBatch(
      {
        agent: "echo",
        input: "in.csv",
        output: join(directory, "out.csv"),
        execution_config: {
          max_concurrency: 4,
          dedupe: true,
          tolerated_failure_count: 60,
          retry_strategy: { max_attempts: 1, interval_seconds: 0, jitter_strategy: "NONE" },
        },
      },
      "batch",
    );
    ({ id: run } = await engine.start({ batch }));
    all = await Array.fromAsync(engine.rows(run));
  });
  after(async () => {
    await engine.close();
    await rm(directory, { recursive: true });
  });

  const outcomeOf = (report: RowReport): RowReport["attempts"][number]["outcome"] | undefined => {
    const decided = report.sameAs === undefined ? report : all[report.sameAs];
    return report.status === "pending" ? undefined : decided?.attempts.at(-1)?.outcome;
  };
  const has = (report: RowReport, text: string): boolean => {
    const outcome = outcomeOf(report);
    const more =
      outcome === undefined ? [] : outcome.status === "failed" ? [outcome.message] : Object.values(outcome.output);
    return [...Object.values(report.cells), ...more.map(String)].some((value) =>
      value.toLowerCase().includes(text.toLowerCase()),
    );
  };
  const valueOf = ({ attempts }: RowReport, order: RowQuery["order"]): number =>
    order === "attempts" ? attempts.length : attempts.reduce((sum, one) => sum + one.endedAt - one.startedAt, 0);

  /** What a query should find, by looking at every row. */
  function expected({ status, code, text, order = "row", descending = false }: RowQuery): number[] {
    const found = all.filter((report) => {
      const outcome = outcomeOf(report);
      if (status !== undefined && report.status !== status) return false;
      if (code !== undefined && !(outcome?.status === "failed" && outcome.code === code)) return false;
      return text === undefined || has(report, text);
    });
    if (order === "row") return found.map(({ row }) => row).toSorted((a, b) => (descending ? b - a : a - b));
    return found
      .filter(({ attempts }) => attempts.length > 0)
      .toSorted((a, b) => (descending ? -1 : 1) * (valueOf(a, order) - valueOf(b, order)) || a.row - b.row)
      .map(({ row }) => row);
  }

  it("are together what looking at every row finds, in its order, whatever is asked", async () => {
    const query = fc.record(
      {
        status: fc.constantFrom("pending", "succeeded", "failed", "in_flight"),
        code: fc.constantFrom("ROW_INVALID", "TIMEOUT", "AGENT_FAILED"),
        text: fc.constantFrom("odd", "STRASSE", "straße 1", "value 4", "field", "timeout", "true", "249"),
        order: fc.constantFrom("row", "duration", "attempts"),
        descending: fc.boolean(),
        limit: fc.integer({ min: 1, max: 120 }),
      },
      { requiredKeys: ["limit"] },
    );
    await fc.assert(
      fc.asyncProperty(query, async (asked) => {
        const request = asked as RowQuery;
        const found: number[] = [];
        let after: string | undefined;
        do {
          const page = await engine.page?.(run, { ...request, ...(after === undefined ? {} : { after }) });
          assert.ok(page !== undefined && page.rows.length <= request.limit);
          found.push(...page.rows.map(({ row }) => row));
          after = page.next;
        } while (after !== undefined);
        assert.deepEqual(found, expected(request));
      }),
      { numRuns: 150 },
    );
  });

  it("refuses a place that no page was followed by", async () => {
    for (const after of ["x", "-1", "1.5.2", "1e3", ""]) {
      await assert.rejects(async () => engine.page?.(run, { limit: 5, after }), { code: "USAGE_INVALID" }, after);
    }
  });

  it("are summed up by a survey", async () => {
    const survey = await engine.survey?.(run);
    assert.ok(survey !== undefined);
    const failed = all.filter(({ status }) => status === "failed");
    const codes = Map.groupBy(failed, (report) => {
      const outcome = outcomeOf(report);
      return outcome?.status === "failed" ? outcome.code : "";
    });
    assert.deepEqual(
      Object.fromEntries(survey.failures.map(({ code, count, row }) => [code, [count, row]])),
      Object.fromEntries([...codes].map(([code, rows]) => [code, [rows.length, rows[0]?.row]])),
    );
    const attempts = all.flatMap((report) => report.attempts);
    assert.equal(survey.attempts, attempts.length);
    const { slices, sliceMs } = survey.timeline;
    const { createdAt } = await engine.describe(run);
    assert.deepEqual(
      slices.map(({ at }) => (at - createdAt) % sliceMs),
      slices.map(() => 0),
    );
    const sum = (name: "succeeded" | "failed"): number => slices.reduce((total, slice) => total + slice[name], 0);
    assert.equal(sum("succeeded") + sum("failed"), attempts.length);
    assert.equal(sum("failed"), attempts.filter(({ outcome }) => outcome.status === "failed").length);
    assert.deepEqual(
      survey.slowest.map(({ row }) => row),
      expected({ order: "duration", descending: true, limit: 10 }).slice(0, 10),
    );
    assert.deepEqual(survey.workers, []);
  });
});
