import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestIo } from "../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { runCli } from "./run-cli.ts";

let workspace: Workspace;

async function rowcall(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = createTestIo({ workingDirectory: workspace.folder });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

describe("where the table itself goes to standard output", () => {
  useWorkspace(1, (made) => (workspace = made));

  it("--json of a run goes to standard error", async () => {
    const { out, err } = await rowcall("run", "batch.json", "--output", "-", "--json", "--quiet");
    assert.match(out, /^n,text,double,.*\n0,"row, 0",0,SUCCESS,.*\n$/);
    assert.equal((JSON.parse(err) as { outputUri: string }).outputUri, "-");
  });

  it("--json of an export goes to standard error", async () => {
    await rowcall("run", "batch.json");
    const { out, err } = await rowcall("export", "last", "--json");
    assert.equal(out, await workspace.read("out.csv"));
    assert.deepEqual(JSON.parse(err), { outputUri: "-", warnings: [] });
  });
});

describe("text of a table", () => {
  useWorkspace(1, (made) => (workspace = made));

  it("cannot steer the terminal from a column's name or a cell", async () => {
    await workspace.write("rows.csv", "n,te\u001b[2Jxt,\u009b2J\u202en\n1,\u001b]0;title\u0007,\u2066x\u009b\n");
    const said = [
      ["plan", "batch.json"],
      ["plan", "batch.json", "--json"],
      ["try", "batch.json", "--set", "\u001b[2J\u202en=1"],
      ["try", "batch.json", "--set", "\u001b[2J\u202en=1", "--json"],
      ["try", "batch.json"],
      ["try", "batch.json", "--json"],
      ["agents", "list", "\u202e\u009b"],
      ["agents", "show", "\u202e\u009b"],
      ["run", "\u202e\u009b.json"],
      ["\u202e\u009b"],
    ];
    for (const args of said) {
      const { out, err } = await rowcall(...args);
      assert.doesNotMatch(
        out + err,
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
        args.join(" "),
      );
    }
    const plan = await rowcall("plan", "batch.json");
    assert.match(plan.out, /^Output columns {2}n, te\[2Jxt, 2Jn, double,/m);
  });

  it("does not fill the screen with one huge cell of a plan", async () => {
    await workspace.write("rows.csv", `n,text\n1,${"x".repeat(100_000)}\n`);
    const { out } = await rowcall("plan", "batch.json");
    assert.match(out, /^0 +2 +\{"n":"1","text":"x+…$/m);
    assert.ok(out.length < 10_000, `${out.length} characters`);
  });
});

describe("what a user is told", () => {
  useWorkspace(1, (made) => (workspace = made));

  it("a run that had finished already is told as that", async () => {
    await rowcall("run", "batch.json");
    assert.match((await rowcall("resume", "last")).err, /^Run \S+ had already succeeded: no row was attempted$/m);
  });

  it("a tried row shows the cells that formula_safe would write", async () => {
    await workspace.write("agent.mjs", `export default () => ({ structured_output: { double: "=1+1" } });`);
    await workspace.write("safe.json", { agent: "doubler", input: "rows.csv", output_mapping: { formula_safe: true } });
    assert.match((await rowcall("try", "safe.json")).out, /^double +'=1\+1$/m);
  });

  it("a run that breaks off says how to get at what is done", async () => {
    workspace.onRow = () => workspace.write("out.csv", "somebody else's");
    const { code, err } = await rowcall("run", "batch.json");
    assert.equal(code, 2);
    assert.match(
      err,
      /stopped with an error; what is done is kept\. rowcall resume \S+ continues it, rowcall export \S+ --output PLACE/,
    );
  });
});
