import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

describe("rowcall update", () => {
  let workspace: Workspace;
  let io: TestIo;
  useWorkspace(2, (made) => (workspace = made));
  beforeEach(async () => {
    io = createTestIo({ workingDirectory: workspace.folder });
    assert.equal(await runCli(["run", "batch.json", "--name", "small"], createTestIo(io)), 0);
  });

  it("lays what is named over what holds, and says what holds then", async () => {
    assert.equal(await runCli(["update", "small", "--max-concurrency", "7"], io), 0);
    assert.equal(await runCli(["update", "last", "--tolerated-failure-count", "0", "--json"], io), 0);
    assert.deepEqual(JSON.parse(io.out()), { maxConcurrency: 7, toleratedFailureCount: 0 });
    assert.match(io.err(), /: 7 rows at once, 0 rows may fail\. Takes effect when the run is resumed\./);
  });

  it("is still known by its older name, and says the new one", async () => {
    assert.equal(await runCli(["--data-dir", ".rowcall", "adjust", "small", "--max-concurrency", "3"], io), 0);
    assert.match(io.err(), /"rowcall adjust" is now "rowcall update"/);
    assert.match(io.err(), /: 3 rows at once/);
  });

  it("refuses to change nothing, and what is out of range", async () => {
    assert.equal(await runCli(["update", "small"], io), 2);
    assert.match(io.err(), /does not know what to change/);
    assert.equal(await runCli(["update", "small", "--tolerated-failure-percentage", "101"], io), 2);
    assert.match(io.err(), /0 to 100/);
  });
});
