import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import fc from "fast-check";
import type { ActivityQueue, TakenTask } from "../../core/activity.ts";
import type { AttemptTask } from "../../attempt/attempt-answer.ts";
import type { Outcome } from "../../core/attempt.ts";
import { parseBatch } from "../../core/batch-file.ts";
import type { Engine, RowReport, RunEvent, StartRequest } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { openStores } from "../../stores/open-store.ts";
import { createTestServices, echoAgent, type TestInvoke } from "../../../test/fakes/services.ts";
import { activitiesPath, openActivityQueue } from "../../runs/activity-queue.ts";
import { openLocalEngine } from "./local-engine.ts";

const never = new AbortController().signal;
const untouched: TestInvoke = async () => assert.fail("the agent was called in the process of the run");

/** What became of a row, shortly: each attempt's outcome and who made it. */
function storyOf({ attempts }: RowReport): string[] {
  return attempts.map(({ number, outcome, worker }) => {
    const what = outcome.status === "succeeded" ? JSON.stringify(outcome.output["field"]) : outcome.code;
    return `${number} ${what} by ${worker ?? "nobody"}`;
  });
}

describe("rows that are left to workers", () => {
  let folder: string;
  let now: number;
  let services: Services;
  let engine: Engine;
  let queue: ActivityQueue;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-workers-"));
    now = Date.now();
    services = createTestServices({
      store: openStores({ baseDirectory: folder }),
      invoke: untouched,
      clock: () => now,
    });
    engine = openEngine();
    queue = openActivityQueue(activitiesPath(join(folder, "data")), services);
  });
  afterEach(async () => {
    queue.close();
    await engine.close();
    await rm(folder, { recursive: true });
  });

  const openEngine = (over: Partial<Services> = {}): Engine =>
    openLocalEngine({ services: { ...services, ...over }, dataDirectory: join(folder, "data") });

  const request = async (rows: number, execution: object = {}): Promise<StartRequest> => {
    await writeFile(join(folder, "in.csv"), `a\n${Array.from({ length: rows }, (_, n) => `${n}\n`).join("")}`);
    const batch = {
      agent_name: "echo",
      input: join(folder, "in.csv"),
      output: join(folder, "out.csv"),
      execution_config: {
        dispatch: "activity",
        heartbeat_seconds: 10,
        retry_strategy: { max_attempts: 0, interval_seconds: 0 },
        ...execution,
      },
    };
    return { batch: parseBatch(batch, "batch"), force: true };
  };
  const take = async (worker: string): Promise<TakenTask & { readonly task: AttemptTask }> => {
    const taken = await queue.take("echo", worker, never);
    assert.ok(taken !== undefined);
    return { ...taken, task: JSON.parse(taken.input) as AttemptTask };
  };
  const answer = (token: string, field: string): unknown =>
    queue.succeed(token, JSON.stringify({ structured_output: { field, extra: 1 } }));
  const storiesOf = async ({ id }: Run): Promise<string[][]> => (await Array.fromAsync(engine.rows(id))).map(storyOf);
  /** Until a run's process has noticed. */
  const until = async (isSo: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await isSo())) await wait(5);
  };

  it("hands over all that an attempt takes", async () => {
    const running = engine.start(await request(1, { timeout_seconds: 7 }));
    const { task, token } = await take("w1");
    answer(token, "x");
    const run = await running;
    assert.deepEqual(task, {
      run_id: run.id,
      row: 0,
      attempt: 1,
      agent: echoAgent,
      templates: {},
      input: { a: "0" },
      timeout_seconds: 7,
      heartbeat_seconds: 10,
      recording: { level: "screenshot", prefix: run.recordingsUri },
    });
    assert.deepEqual(await storiesOf(run), [['1 "x" by w1']]);
    assert.equal(queue.find(`${run.id}/0/1`), undefined, "a committed attempt's task is forgotten");
  });

  it("counts an attempt's time from when a worker took it, unless the worker tells its own", async () => {
    const begun = now;
    const running = engine.start(await request(2));
    await until(async () => (await engine.list())[0]?.counts.inFlight !== undefined);
    now += 3_600_000;
    const first = await take("w1");
    now += 2000;
    answer(first.token, "x");
    const second = await take("w1");
    const attempt = { started_at: begun + 5, ended_at: begun + 8, steps: [], artifacts: [] };
    queue.succeed(second.token, JSON.stringify({ structured_output: { field: "y", extra: 1 }, attempt }));
    const [one, two] = await Array.fromAsync(engine.rows((await running).id));
    assert.deepEqual([one?.attempts[0]?.startedAt, one?.attempts[0]?.endedAt], [begun + 3_600_000, begun + 3_602_000]);
    assert.deepEqual([two?.attempts[0]?.startedAt, two?.attempts[0]?.endedAt], [begun + 5, begun + 8]);
  });

  it("survives any worker's answer: too deep fails its row, times that are none are not taken, digits stay", async () => {
    const running = engine.start(await request(4));
    const nested = (levels: number): string => `${'{"in":['.repeat(levels)}1${"]}".repeat(levels)}`;
    const output = (text: string, attempt = "null"): string =>
      `{"structured_output":{"field":${text},"extra":1},"attempt":${attempt}}`;
    const times = '{"started_at":1.5,"ended_at":9e300,"steps":[],"artifacts":[]}';
    const tokens: string[] = [];
    for (let n = 0; n < 4; n += 1) tokens.push((await take("w1")).token);
    const [deep = "", odd = "", long = "", failing = ""] = tokens;
    assert.equal(queue.succeed(deep, output(nested(7000))), "accepted");
    assert.equal(queue.succeed(odd, output('"x"', times)), "accepted");
    assert.equal(queue.succeed(long, output("12345678901234567890")), "accepted");
    assert.equal(queue.fail(failing, "Odd", nested(2000)), "accepted");
    const run = await running;
    assert.deepEqual([run.status, run.counts.succeeded, run.counts.failed], ["succeeded", 2, 2]);
    const reports = await Array.fromAsync(engine.rows(run.id));
    const outcomes = reports.map(({ attempts }) => attempts[0]?.outcome);
    assert.match(JSON.stringify(outcomes[0]), /OUTPUT_INVALID.*is nested deeper than 200 levels/);
    assert.deepEqual([reports[1]?.attempts[0]?.startedAt, reports[1]?.attempts[0]?.endedAt], [now, now]);
    assert.match(JSON.stringify(outcomes[2]), /"field":12345678901234567890/);
    assert.match(JSON.stringify(outcomes[3]), /AGENT_FAILED.*"message":"Odd: .* more characters\)"/);
    assert.match(await readFile(run.outputUri ?? "", "utf8"), /\n2,12345678901234567890,1,/);
  });

  it("gives the row of a lost worker to another at once, whatever the retries, and tells the story", async () => {
    const running = engine.start(await request(1, { retry_strategy: { max_attempts: 0, interval_seconds: 300 } }));
    const lost = await take("w1");
    now += 10_000;
    const other = await take("w2");
    assert.equal(other.task.attempt, 2);
    assert.notEqual(answer(lost.token, "late"), "accepted");
    answer(other.token, "x");
    const run = await running;
    assert.deepEqual(await storiesOf(run), [["1 WORKER_LOST by w1", '2 "x" by w2']]);
    const [report] = await Array.fromAsync(engine.rows(run.id));
    const outcome = report?.attempts[0]?.outcome;
    assert.equal(outcome?.status === "failed" && outcome.message, "Worker w1 gave no sign of life for 10 s");
  });

  it("gives a row up that has lost three workers, also over a resume", async () => {
    const drain = new AbortController();
    const running = engine.start(await request(1), { drain: drain.signal });
    await take("w1");
    now += 10_000;
    await take("w2");
    drain.abort();
    now += 10_000;
    const run = await running;
    assert.equal(run.status, "interrupted");
    const resuming = engine.resume(run.id);
    await take("w3");
    now += 10_000;
    const resumed = await resuming;
    assert.deepEqual([resumed.status, resumed.counts.failed], ["succeeded", 1]);
    assert.deepEqual(await storiesOf(run), [["1 WORKER_LOST by w1", "2 WORKER_LOST by w2", "3 WORKER_LOST by w3"]]);
  });

  it("counts what a row really failed with against its retries, lost workers in between or not", async () => {
    const running = engine.start(await request(1, { retry_strategy: { max_attempts: 1, interval_seconds: 0 } }));
    queue.fail((await take("w1")).token, "AGENT_FAILED", "no");
    await take("w1");
    now += 10_000;
    queue.fail((await take("w2")).token, "AGENT_FAILED", "no");
    assert.deepEqual(await storiesOf(await running), [
      ["1 AGENT_FAILED by w1", "2 WORKER_LOST by w1", "3 AGENT_FAILED by w2"],
    ]);
  });

  it("ends an attempt that a worker never ends, as a timeout", async () => {
    const running = engine.start(await request(1, { timeout_seconds: 5, heartbeat_seconds: 1000 }));
    await take("w1");
    now += 60_000;
    const run = await running;
    assert.deepEqual(await storiesOf(run), [["1 TIMEOUT by w1"]]);
    assert.match(await readFile(run.outputUri ?? "", "utf8"), /FAILED,.*,Execution timeout\n$/);
  });

  it("takes rows back that no worker has when it drains, waits for the others, and goes on with them later", async () => {
    const drain = new AbortController();
    const running = engine.start(await request(4), { drain: drain.signal });
    const { token } = await take("w1");
    drain.abort();
    answer(token, "x");
    const run = await running;
    assert.deepEqual([run.status, run.counts.succeeded, run.counts.pending], ["interrupted", 1, 3]);
    assert.deepEqual(
      (await Array.fromAsync(engine.rows(run.id))).map(({ status }) => status),
      ["succeeded", "pending", "pending", "pending"],
    );
    const patience = AbortSignal.timeout(120);
    assert.equal(await queue.take("echo", "w2", patience), undefined, "nothing is left on the queue");

    const resuming = engine.resume(run.id);
    for (let row = 1; row < 4; row += 1) answer((await take("w2")).token, "y");
    await resuming;
    assert.deepEqual(await storiesOf(run), [['1 "x" by w1'], ['1 "y" by w2'], ['1 "y" by w2'], ['1 "y" by w2']]);
  });

  it("takes a row back that a worker puts back while the run drains", async () => {
    const drain = new AbortController();
    const running = engine.start(await request(1), { drain: drain.signal });
    const { token } = await take("w1");
    drain.abort();
    queue.putBack(token);
    assert.equal((await running).counts.pending, 1);
  });

  it("finds what is wrong with the agent before a row is handed over, and does without what only workers need", async () => {
    const opening = (thrown: RowcallError): Engine =>
      openEngine({
        openAgent: async () => {
          throw thrown;
        },
      });
    const broken = opening(new RowcallError("TEMPLATE_INVALID", "no steps"));
    await assert.rejects(broken.start(await request(1)), { code: "TEMPLATE_INVALID" });
    assert.deepEqual(await broken.list(), []);
    await broken.close();

    const bare = opening(new RowcallError("CHROMIUM_NOT_FOUND", "No Chromium here"));
    const running = bare.start(await request(1));
    answer((await take("w1")).token, "x");
    assert.equal((await running).counts.succeeded, 1);
    await bare.close();
  });

  it("brings every template that the agent asks for", async () => {
    const template = { template_id: "form", version: "1.0.0", status: "active" as const };
    const asking = openEngine({
      registry: {
        ...services.registry,
        templates: { ...services.registry.templates, resolve: async () => template },
      },
      openAgent: async (agent, environment) => {
        await environment.template("form@1.0.0");
        return services.openAgent(agent, environment);
      },
    });
    const running = asking.start(await request(1));
    const { task, token } = await take("w1");
    assert.deepEqual(task.templates, { "form@1.0.0": template });
    answer(token, "x");
    await running;
    await asking.close();
  });

  it("says once that it waits for a worker, and that one is there again", async () => {
    const events: RunEvent[] = [];
    const running = engine.start(await request(1), { onEvent: (event) => void events.push(event) });
    const told = (type: string): RunEvent[] => events.filter((event) => event.type === type);
    await until(() => {
      now += 1000;
      return told("warning").length > 0;
    });
    const [warning] = told("warning");
    assert.ok(warning?.type === "warning");
    assert.equal(warning.message, "No worker asks for rows of echo: the run waits");
    assert.match(warning.hint ?? "", /rowcall worker --activity-arn arn:aws:states:\S+:activity:echo --endpoint-url/);
    assert.equal((await engine.list())[0]?.workers, 0);
    const { token } = await take("w1");
    assert.equal((await engine.list())[0]?.workers, 1);
    await until(() => told("notice").length > 0);
    answer(token, "x");
    const run = await running;
    assert.deepEqual([told("warning").length, told("notice").length, run.workers], [1, 1, undefined]);
  });

  it("keeps to where its attempts are made when it is resumed, however the engine is set up", async () => {
    const drain = new AbortController();
    drain.abort();
    const { id } = await engine.start(await request(1), { drain: drain.signal });
    const other = openLocalEngine({ services, dataDirectory: join(folder, "data"), dispatch: "in_process" });
    const running = other.resume(id);
    answer((await take("w1")).token, "x");
    assert.equal((await running).counts.succeeded, 1);
    await other.close();
  });

  const deeds = fc.infiniteStream(
    fc.constantFrom("works", "works", "works", "fails", "dies", "freezes and answers late", "gives back"),
  );

  it("decides every row once, whichever workers die or freeze meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(deeds, fc.integer({ min: 1, max: 4 }), async (stream, workers) => {
        const rows = 12;
        const accepted = new Map<string, string>();
        const strike = new AbortController();
        const work = async (worker: string): Promise<void> => {
          for (;;) {
            const taken = await queue.take("echo", worker, strike.signal);
            if (taken === undefined) return;
            const { row, attempt } = JSON.parse(taken.input) as AttemptTask;
            const { value: deed } = stream.next() as IteratorYieldResult<string>;
            if (deed === "dies" || deed === "freezes and answers late") now += 10_000;
            if (deed === "gives back") queue.putBack(taken.token);
            if (deed === "works" || deed === "freezes and answers late") {
              const field = `${row} by ${worker}`;
              if (answer(taken.token, field) !== "accepted") continue;
              assert.equal(deed, "works");
              accepted.set(`${row}/${attempt}`, field);
            }
            if (deed === "fails" && queue.fail(taken.token, "CHOICE_NONE", "none") === "accepted")
              accepted.set(`${row}/${attempt}`, "CHOICE_NONE");
          }
        };
        const working = Array.from({ length: workers }, (_, n) => work(`w${n}`));
        const run = await engine.start(await request(rows, { max_concurrency: 5 }));
        strike.abort();
        await Promise.all(working);

        const reports = await Array.fromAsync(engine.rows(run.id));
        assert.equal(run.counts.pending, 0);
        for (const { row, attempts } of reports) {
          const told = attempts.map(({ number, outcome }) => {
            const result = outcome.status === "succeeded" ? outcome.output["field"] : outcome.code;
            if (result !== "WORKER_LOST") assert.equal(accepted.get(`${row}/${number}`), result);
            return result;
          });
          const lost = told.filter((result) => result === "WORKER_LOST").length;
          assert.deepEqual(
            told.slice(0, -1),
            Array.from({ length: told.length - 1 }, () => "WORKER_LOST"),
          );
          assert.ok(told.at(-1) === "WORKER_LOST" ? lost === 3 : lost < 3, told.join(" "));
        }
        const decided = reports.flatMap(({ attempts }) => attempts).filter(({ outcome }) => !isLost(outcome));
        assert.equal(accepted.size, decided.length, "every answer that was accepted stands in the journal");
      }),
      { numRuns: 8 },
    );
  });
});

function isLost(outcome: Outcome): boolean {
  return outcome.status === "failed" && outcome.code === "WORKER_LOST";
}
