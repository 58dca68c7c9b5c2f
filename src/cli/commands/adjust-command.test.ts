import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

describe("rowcall adjust", () => {
  let workspace: Workspace;
  let io: TestIo;
  useWorkspace(2, (made) => (workspace = made));
  beforeEach(async () => {
    io = createTestIo({ workingDirectory: workspace.folder });
    assert.equal(await runCli(["run", "batch.json", "--name", "small"], createTestIo(io)), 0);
  });

  it("lays what is named over what holds, and says what holds then", async () => {
    assert.equal(await runCli(["adjust", "small", "--max-concurrency", "7"], io), 0);
    assert.equal(await runCli(["adjust", "last", "--tolerated-failure-count", "0", "--json"], io), 0);
    assert.deepEqual(JSON.parse(io.out()), { maxConcurrency: 7, toleratedFailureCount: 0 });
    assert.match(io.err(), /heeds this when it is resumed: 7 rows at once, 0 rows may fail\./);
  });

  it("refuses to change nothing, and what is out of range", async () => {
    assert.equal(await runCli(["adjust", "small"], io), 2);
    assert.match(io.err(), /does not know what to change/);
    assert.equal(await runCli(["adjust", "small", "--tolerated-failure-percentage", "101"], io), 2);
    assert.match(io.err(), /0 to 100/);
  });
});
