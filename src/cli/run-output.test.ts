import assert from "node:assert/strict";
import { link, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { createTestIo } from "../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { runCli } from "./run-cli.ts";

let workspace: Workspace;

async function rowcall(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = createTestIo({ workingDirectory: workspace.folder });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

describe("the output of a run", () => {
  useWorkspace(3, (made) => (workspace = made));

  it("is JSON Lines where its name says so, also after a resume and a rerun", async () => {
    const lines = async (name: string): Promise<unknown[]> =>
      (await workspace.read(name))
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { double: unknown }).double);
    assert.equal((await rowcall("run", "batch.json", "--output", "out.jsonl")).code, 0);
    assert.deepEqual(await lines("out.jsonl"), [0, 2, 4]);
    await rowcall("export", "last", "--output", "again.ndjson");
    assert.equal(await workspace.read("again.ndjson"), await workspace.read("out.jsonl"));

    workspace.onRow = () => {
      throw new Error("no");
    };
    assert.equal((await rowcall("run", "batch.json", "--output", "failed.jsonl")).code, 3);
    workspace.onRow = () => {};
    assert.equal((await rowcall("rerun", "last", "--failed")).code, 0);
    assert.deepEqual(await lines("failed.jsonl"), [0, 2, 4]);
  });

  it("is refused before a row is spent when its name promises another format, by plan as by run", async () => {
    workspace.onRow = () => assert.fail("the agent was called");
    for (const output of ["out.xlsx", "out.json", "out.csv.gz"]) {
      const run = await rowcall("run", "batch.json", "--output", output);
      assert.equal(run.code, 2);
      assert.match(
        run.err,
        /^error: The output .+ cannot be written as \.\w+\nhint: Tables are written as CSV or JSON/,
      );
      assert.equal((await rowcall("plan", "batch.json", "--output", output)).code, 2);
    }
    assert.equal((await rowcall("runs")).out, "");
  });

  it("is never the input, by whatever name, not even when it may be replaced", async () => {
    workspace.onRow = () => assert.fail("the agent was called");
    const before = await workspace.read("rows.csv");
    await link(workspace.at("rows.csv"), workspace.at("hard.csv"));
    const names = ["rows.csv", "./x/../rows.csv", pathToFileURL(workspace.at("rows.csv")).href, "hard.csv"];
    for (const output of names) {
      for (const command of ["run", "plan"]) {
        const { code, err, out } = await rowcall(command, "batch.json", "--output", output, "--force");
        assert.equal(code, 2, output);
        assert.match(err + out, /The output .+ is the input itself/);
      }
    }
    assert.equal(await workspace.read("rows.csv"), before);
  });

  it("is never the batch file", async () => {
    await writeFile(workspace.at("batch.txt"), await workspace.read("batch.json"));
    const { code, err } = await rowcall("run", "batch.txt", "--output", "batch.txt", "--force");
    assert.equal(code, 2);
    assert.match(err, /output: .+ is the batch file itself/);
  });

  it("of an export is never the input of the run", async () => {
    const before = await workspace.read("rows.csv");
    await rowcall("run", "batch.json");
    const { code, err } = await rowcall("export", "last", "--output", "rows.csv", "--force");
    assert.equal(code, 2);
    assert.match(err, /is the input itself/);
    assert.equal(await workspace.read("rows.csv"), before);
  });
});

describe("a run that was interrupted", () => {
  useWorkspace(6, (made) => (workspace = made));

  it("is resumed before its failed rows are attempted again", async () => {
    const io = createTestIo({ workingDirectory: workspace.folder });
    workspace.onRow = () => io.interrupt();
    assert.equal(await runCli(["run", "batch.json"], io), 130);
    for (const choice of [["--failed"], ["--rows", "0-5"]]) {
      const { code, err } = await rowcall("rerun", "last", ...choice);
      assert.equal(code, 2);
      assert.match(
        err,
        /^error: Run \S+ is interrupted: \d rows are pending\nhint: Go on with it first: rowcall resume \S+$/m,
      );
      assert.doesNotMatch(err, /AWS/);
    }
    workspace.onRow = () => {};
    assert.equal((await rowcall("resume", "last")).code, 3);
  });
});
