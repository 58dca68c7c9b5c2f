import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Run } from "../../core/run.ts";
import { createTestIo } from "../../../test/fakes/io.ts";
import { createMeter, describeCounts, openProgress } from "./progress.ts";

function runAt(succeeded: number, failed: number, inFlight: number, total = 40): Run {
  const counts = { total, succeeded, failed, inFlight, pending: total - succeeded - failed - inFlight };
  return { id: "r", status: "running", agent: "a@1.0.0", inputUri: "in.csv", counts, createdAt: 0 };
}

describe("progress", () => {
  it("tells done of total, failed, in flight, rows per second and time left", () => {
    let now = 0;
    const meter = createMeter(() => now);
    meter.note(0);
    assert.equal(describeCounts(runAt(0, 0, 10), meter), "0/40 rows, 0 failed, 10 in flight");
    now = 5000;
    meter.note(10);
    assert.equal(describeCounts(runAt(8, 2, 10), meter), "10/40 rows, 2 failed, 10 in flight, 2.0 rows/s, 15.0 s left");
    now = 20_000;
    meter.note(40);
    assert.equal(describeCounts(runAt(38, 2, 0), meter), "40/40 rows, 2 failed, 0 in flight, 2.0 rows/s");
  });

  it("tells what waits for another attempt, until when and why", () => {
    const meter = createMeter(() => 0);
    const until = 75_425_000;
    const message = "429 from api.test";
    const waiting = { rows: 1, until, row: 3, code: "HTTP_UNAVAILABLE", message } as const;
    const describe = (more: Partial<Run>): string => describeCounts({ ...runAt(0, 0, 0, 1), ...more }, meter);
    assert.equal(describe({ waiting }), "0/1 row, 0 failed, 0 in flight, 1 waiting until 20:57:05Z: 429 from api.test");
    assert.match(describe({ waiting: { ...waiting, rows: 1200 } }), /flight, 1,200 waiting, next at 20:57:05Z: 429/);
    assert.match(describe({ waiting, createdAt: -1 }), /1 waiting until 1970-01-01 20:57:05Z: 429/);
    const long = `GET http://api.test/${"\u001b[2J\n".repeat(90)} answered 429`;
    assert.match(
      describe({ waiting: { ...waiting, message: long } }),
      /: GET http:\/\/api.test\/[[2J ]+…[[2J ]+ answered 429$/,
    );
  });

  it("measures the rate over the last half minute, so that rows done before a resume and old times do not count", () => {
    let now = 0;
    const meter = createMeter(() => now);
    meter.note(1000);
    assert.equal(meter.rate(), undefined);
    now = 10_000;
    meter.note(1100);
    assert.equal(meter.rate(), 10);
    now = 40_000;
    meter.note(1130);
    assert.equal(meter.rate(), 1);
  });

  it("writes a line every few seconds where there is no terminal", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval", "Date"] });
    const io = createTestIo();
    const progress = await openProgress(io, "lines", Date.now);
    progress.update(runAt(0, 0, 10));
    t.mock.timers.tick(4999);
    assert.equal(io.err(), "");
    progress.update(runAt(9, 1, 10));
    t.mock.timers.tick(1);
    assert.equal(io.err(), "10/40 rows, 1 failed, 10 in flight, 2.0 rows/s, 15.0 s left\n");
    progress.stop();
    t.mock.timers.tick(20_000);
    assert.equal(io.err().split("\n").length, 2);
  });

  it("draws a bar on a terminal and says things above it", async () => {
    const io = createTestIo({ columns: 120, env: { NO_COLOR: "1" } });
    const progress = await openProgress(io, "bar");
    progress.update(runAt(0, 0, 10));
    progress.say("SIGINT: draining");
    progress.update(runAt(38, 2, 0));
    progress.stop();
    assert.match(io.err(), /░{24} 0\/40 rows, 0 failed, 10 in flight/);
    assert.match(io.err(), /\r\u001b\[KSIGINT: draining\n/);
    assert.match(io.err(), /█{24} 40\/40 rows, 2 failed, 0 in flight/);
  });

  it("shows nothing when it is not wanted, but says what must be said", async () => {
    const io = createTestIo();
    const progress = await openProgress(io, "none");
    progress.update(runAt(1, 0, 1));
    progress.say("SIGINT");
    progress.stop();
    assert.equal(io.err(), "SIGINT\n");
  });
});
