import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { parseBatch } from "../../core/batch-file.ts";
import { RowcallError } from "../../core/errors.ts";
import { createTestIo } from "../../../test/fakes/io.ts";
import { reportError } from "./report-error.ts";
import { withTerminal } from "./terminal.ts";

const thrownBy = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe("reportError", () => {
  it("says what happened and what to do, on standard error, and answers with the code's exit code", async () => {
    const io = createTestIo();
    const error = new RowcallError("BATCH_NOT_FOUND", "There is no batch file b.json", { hint: "Check the path." });
    assert.equal(await reportError(error, io, false), 2);
    assert.equal(io.err(), "error: There is no batch file b.json\nhint: Check the path.\n");
    assert.equal(io.out(), "");
  });

  it("gives each of several problems its own line", async () => {
    const io = createTestIo();
    const error = thrownBy(() =>
      parseBatch({ agent: "a", agnt: 1, execution_config: { max_concurrencyy: 2 } }, "batch file b.json"),
    );
    await reportError(error, io, false);
    const lines = io.err().trimEnd().split("\n");
    assert.equal(lines[0], "error: The batch file b.json is not valid");
    assert.deepEqual(
      lines
        .slice(1)
        .map((line) => line.trim())
        .toSorted(),
      [
        '- agnt: unknown key "agnt"',
        '- execution_config.max_concurrencyy: unknown key "max_concurrencyy"',
        'hint: Did you mean "agent"?',
        'hint: Did you mean "max_concurrency"?',
      ],
    );
  });

  it("writes one line of JSON when asked", async () => {
    const io = createTestIo();
    const error = new RowcallError("INPUT_MALFORMED", "A quote\nis open", { hint: "Close it.", details: { line: 3 } });
    assert.equal(await reportError(error, io, true), 2);
    assert.deepEqual(JSON.parse(io.err()), {
      error: { code: "INPUT_MALFORMED", message: "A quote\nis open", hint: "Close it.", details: { line: 3 } },
    });
    assert.equal(io.err().trimEnd().split("\n").length, 1);
    assert.equal(io.out(), "");
  });

  it("calls what nobody threw on purpose UNEXPECTED, with the stack under DEBUG=rowcall alone", async () => {
    const quiet = createTestIo();
    assert.equal(await reportError(new TypeError("x is not a function"), quiet, false), 1);
    assert.match(quiet.err(), /^error \(UNEXPECTED\): x is not a function\nhint: .*\n$/);
    const debugged = createTestIo({ env: { DEBUG: "other,rowcall" } });
    await reportError(new TypeError("x is not a function"), debugged, false);
    assert.match(debugged.err(), /\n {4}at /);
  });

  it("says of a journal that is damaged in the middle what it is, and what can be done", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rowcall-report-"));
    try {
      const path = join(folder, "journal.db");
      const whole = new DatabaseSync(path);
      whole.exec("CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a); INSERT INTO t VALUES ('x')");
      whole.close();
      const bytes = await readFile(path);
      await writeFile(path, bytes.fill(0x5a, 4096));
      const damaged = new DatabaseSync(path);
      const io = createTestIo();
      assert.equal(
        await reportError(
          thrownBy(() => damaged.prepare("SELECT * FROM t").all()),
          io,
          false,
        ),
        1,
      );
      damaged.close();
      assert.match(io.err(), /^error: The journal is damaged: .*\nhint: .*journal\.db/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("colours for a terminal, and not with NO_COLOR", async () => {
    const error = new RowcallError("USAGE_INVALID", "No");
    const terminal = createTestIo({ columns: 80 });
    await reportError(error, withTerminal(terminal), false);
    assert.equal(terminal.err(), "\u001b[31merror:\u001b[39m No\n");
    const plain = createTestIo({ columns: 80, env: { NO_COLOR: "1" } });
    await reportError(error, plain, false);
    assert.equal(plain.err(), "error: No\n");
    const forced = createTestIo({ env: { FORCE_COLOR: "1" } });
    await reportError(error, withTerminal(forced), false);
    assert.equal(forced.err(), "\u001b[31merror:\u001b[39m No\n");
  });
});
