import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openExecutionJournal, type ExecutionJournal } from "./execution-journal.ts";

const day = 24 * 3600 * 1000;

describe("the memory of executions", () => {
  let folder: string;
  let journal: ExecutionJournal;
  let now: number;
  const open = (): ExecutionJournal => openExecutionJournal(join(folder, "executions.db"), () => now);
  const started = { type: "ExecutionStarted", previous: 0 };
  const id = { machine: "m", name: "a" };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-executions-"));
    now = Date.UTC(2025, 9, 18);
    journal = open();
  });
  afterEach(async () => {
    journal.close();
    await rm(folder, { recursive: true });
  });

  it("keeps what it was told when it is opened again", () => {
    journal.create({ ...id, input: '{"a": 1}' }, started);
    journal.tell(id, { type: "TaskStateEntered", details: { name: "x" }, previous: 0 });
    journal.update(id, { status: "FAILED", error: "E", stoppedAt: now }, { type: "ExecutionFailed" });
    journal.close();
    journal = open();
    const status = { status: "FAILED", error: "E", stoppedAt: now };
    assert.deepEqual(journal.find(id), { ...id, input: '{"a": 1}', startedAt: now, redrives: 0, ...status });
    assert.deepEqual(
      journal.history(id, "newest", 10).map((event) => [event.id, event.previous, event.details]),
      [
        [3, 2, undefined],
        [2, 0, { name: "x" }],
        [1, 0, undefined],
      ],
    );
    assert.deepEqual(
      journal.history(id, "oldest", 1, 1).map((event) => event.id),
      [2],
    );
  });

  it("hears nothing more of an execution that has ended, and takes values away", () => {
    journal.create({ ...id, input: "{}" }, started);
    journal.update(id, { status: "ABORTED", error: "E", runId: "r" });
    assert.equal(journal.tell(id, { type: "MapRunSucceeded" }), undefined);
    assert.equal(journal.history(id, "oldest", 10).length, 1);
    assert.equal(journal.update(id, { status: "RUNNING", error: undefined }).error, undefined);
    assert.equal(journal.findByRun("r")?.name, "a");
  });

  it("lists the newest first, by machine, status and redrives, and goes on after any of them", () => {
    for (const name of ["a", "b", "c"]) journal.create({ machine: "m", name, input: "{}" }, started);
    journal.create({ machine: "other", name: "a", input: "{}" }, started);
    journal.update({ machine: "m", name: "b" }, { status: "SUCCEEDED", redrives: 1 });
    const names = (...args: Parameters<ExecutionJournal["list"]>): string[] =>
      journal.list(...args).map(({ name }) => name);
    assert.deepEqual(names({ machine: "m" }, 10), ["c", "b", "a"]);
    assert.deepEqual(names({ machine: "m" }, 1, { machine: "m", name: "c" }), ["b"]);
    assert.deepEqual(names({ machine: "m", status: "RUNNING" }, 10), ["c", "a"]);
    assert.deepEqual(names({ redriven: true }, 10), ["b"]);
  });

  it("forgets executions that ended more than 90 days ago, and not those that are running", () => {
    for (const name of ["ended", "recent", "running"]) journal.create({ machine: "m", name, input: "{}" }, started);
    journal.update({ machine: "m", name: "ended" }, { status: "SUCCEEDED", stoppedAt: now });
    journal.update({ machine: "m", name: "recent" }, { status: "SUCCEEDED", stoppedAt: now + day });
    journal.close();
    now += 90 * day + 1;
    journal = open();
    assert.deepEqual(
      journal.list({}, 10).map(({ name }) => name),
      ["running", "recent"],
    );
    assert.equal(journal.firstOffered("m"), now);
    now += day;
    assert.equal(journal.firstOffered("m"), now - day);
  });

  it("is open in one process at a time", () => {
    assert.throws(open, { code: "ENDPOINT_BUSY", hint: /--data-dir/ });
  });
});
