import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RowReport } from "../core/engine.ts";
import type { Run } from "../core/run.ts";
import { createTestIo, type TestIo } from "../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { commands } from "./commands.ts";
import { runCli } from "./run-cli.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A run as any command prints it. */
interface PrintedRun extends Run {
  readonly failures: readonly object[];
  readonly warnings: readonly object[];
  readonly slowest: readonly object[];
}

/** A row as `rows` and `export` print it. */
interface PrintedRow extends RowReport {
  readonly double: number | null;
}

let workspace: Workspace;

async function rowcall(...args: string[]): Promise<Ended> {
  return end(createTestIo({ workingDirectory: workspace.folder }), args);
}

async function end(io: TestIo, args: readonly string[]): Promise<Ended> {
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

const parseRun = (text: string): PrintedRun => JSON.parse(text) as PrintedRun;
const parseRows = (text: string): PrintedRow[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as PrintedRow);
const mask = (csv: string): string => csv.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+/g, "T,MS");

describe("rowcall", () => {
  useWorkspace(6, (made) => (workspace = made));

  it("lists every command, and shows each one's help with examples", async () => {
    const help = await rowcall("--help");
    assert.equal(help.code, 0);
    for (const { name, summary } of commands)
      assert.match(help.out, new RegExp(`^ {2}${name} +${summary.slice(0, 20)}`, "m"));
    for (const name of ["run", "resume", "rerun", "stop", "runs", "show", "rows", "export"]) {
      const { code, out } = await rowcall(name, "--help");
      assert.equal(code, 0);
      assert.match(out, new RegExp(`Examples:\n  rowcall ${name}`));
      assert.equal(out, (await rowcall("help", name)).out);
    }
  });

  it("suggests what a mistyped command or option may have meant, and ends with 2", async () => {
    const command = await rowcall("rnu", "batch.json");
    assert.deepEqual(command, { code: 2, out: "", err: "error: unknown command 'rnu'\nhint: Did you mean run?\n" });
    const option = await rowcall("run", "batch.json", "--ouput", "x");
    assert.deepEqual(option, {
      code: 2,
      out: "",
      err: "error: unknown option '--ouput'\nhint: Did you mean --output?\n",
    });
    const json = await rowcall("run", "--json");
    assert.equal((JSON.parse(json.err) as { error: { code: string } }).error.code, "USAGE_INVALID");
    assert.equal(json.out, "");
  });

  it("shows the help on standard error and ends with 2 when no command is given", async () => {
    const { code, out, err } = await rowcall();
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^Usage: rowcall/);
  });
});

describe("rowcall run", () => {
  useWorkspace(6, (made) => (workspace = made));

  it("writes the table, its place alone on standard output, and what failed on standard error; ends with 3", async () => {
    const { code, out, err } = await rowcall("run", "batch.json");
    assert.equal(code, 3);
    assert.equal(out, `${workspace.at("out.csv")}\n`);
    assert.match(err, /^Run \S+: 6 rows, agent doubler@1\.0\.0$/m);
    assert.match(err, /^6 rows: 5 succeeded, 1 failed$/m);
    assert.match(err, /^AGENT_FAILED {2}1 +row 3 \(line 5\): no luck with 3$/m);
    assert.match(err, /^Try them again {2}rowcall rerun \S+ --failed$/m);
    assert.doesNotMatch(err, /\u001b/);
    assert.equal(mask((await workspace.read("out.csv")).split("\n")[1] ?? ""), '0,"row, 0",0,SUCCESS,T,MS,');
  });

  it("ends with 0 when every row succeeded, and says nothing with --quiet", async () => {
    const { code, err } = await rowcall("run", "batch.json", "--rows", "0-2,5", "--quiet");
    assert.deepEqual([code, err], [0, ""]);
    assert.equal((await workspace.read("out.csv")).split("\n").length, 6);
  });

  it("prints the run as one JSON object with --json", async () => {
    const { out } = await rowcall("run", "batch.json", "--json");
    const run = parseRun(out);
    assert.equal(run.outputUri, workspace.at("out.csv"));
    assert.deepEqual(run.counts, { total: 6, succeeded: 5, failed: 1, inFlight: 0, pending: 0 });
    assert.deepEqual(run.failures, [{ code: "AGENT_FAILED", count: 1, row: 3, line: 5, message: "no luck with 3" }]);
    assert.deepEqual(run.warnings, []);
  });

  it("writes the table itself on standard output with --output -", async () => {
    const { out } = await rowcall("run", "batch.json", "--output", "-", "--limit", "2");
    assert.equal(
      mask(out),
      'n,text,double,_status,_timestamp,_execution_time_ms\n0,"row, 0",0,SUCCESS,T,MS\n1,"row, 1",2,SUCCESS,T,MS\n',
    );
  });

  it("shows the run that has the name already, without calling the agent again", async () => {
    await rowcall("run", "batch.json", "--name", "monday");
    let calls = 0;
    workspace.onRow = () => (calls += 1);
    const again = await rowcall("run", "batch.json", "--name", "monday");
    assert.deepEqual([again.code, again.out, calls], [3, `${workspace.at("out.csv")}\n`, 0]);
    assert.match(again.err, /no row was attempted/);
  });

  it("refuses to replace an output without --force", async () => {
    await rowcall("run", "batch.json");
    const refused = await rowcall("run", "batch.json");
    assert.equal(refused.code, 2);
    assert.match(refused.err, /exists already\nhint: .*--force/);
    assert.equal((await rowcall("run", "batch.json", "--force")).code, 3);
  });

  it("lays settings for the agent over its own, from JSON and from a file", async () => {
    await workspace.write("other.mjs", "export default ({ n }) => ({ structured_output: { double: -n } });");
    await workspace.write("config.yaml", "module: ./other.mjs\n");
    for (const config of ['{"module": "./other.mjs"}', "@config.yaml"]) {
      const { out } = await rowcall("run", "batch.json", "--output", "-", "--rows", "2", "--agent-config", config);
      assert.match(out, /^2,"row, 2",-2,SUCCESS/m);
    }
    const wrong = await rowcall("run", "batch.json", "--agent-config", "[]");
    assert.deepEqual(
      [wrong.code, wrong.err.split("\n")[0]],
      [2, "error: The value of --agent-config is not a JSON object"],
    );
  });

  it("tells everything that is wrong with a batch at once and ends with 2", async () => {
    await workspace.write("broken.json", { agnt: "doubler", output: "out/" });
    const { code, out, err } = await rowcall("run", "broken.json");
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^ {2}- agnt: unknown key "agnt"\n {4}hint: Did you mean "agent"\?$/m);
    assert.match(err, /^ {2}- input: missing$/m);
  });

  it("stops at the tolerated number of failures, with 4, and says how to go on", async () => {
    await workspace.write("strict.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "out.csv",
      execution_config: { max_concurrency: 1, retry_strategy: { max_attempts: 0 }, tolerated_failure_count: 0 },
    });
    const { code, err } = await rowcall("run", "strict.json");
    assert.equal(code, 4);
    assert.match(err, /stopped in .*: 1 rows? failed, more than the tolerated 0/);
    assert.match(err, /^Resume it +rowcall resume/m);
  });

  it("drains at the first interrupt and ends with 130; resume goes on as if nothing had happened", async () => {
    const io = createTestIo({ workingDirectory: workspace.folder });
    const called: number[] = [];
    workspace.onRow = (n) => {
      called.push(n);
      if (n === 1) io.interrupt();
    };
    const stopped = await end(io, ["run", "batch.json", "--max-concurrency", "1"]);
    assert.deepEqual([stopped.code, stopped.out], [130, ""]);
    assert.match(stopped.err, /^SIGINT: rows in flight finish/m);
    assert.match(stopped.err, /^Resume it +rowcall resume/m);
    const resumed = await rowcall("resume", "last");
    assert.deepEqual([resumed.code, resumed.out], [3, `${workspace.at("out.csv")}\n`]);
    assert.match(resumed.err, /: 6 rows, \d of them done,/);
    assert.deepEqual(
      called.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5],
    );
    assert.equal((await workspace.read("out.csv")).split("\n").length, 8);
  });

  it("ends the process at the second interrupt", async () => {
    const io = createTestIo({ workingDirectory: workspace.folder });
    workspace.onRow = (n) => {
      if (n > 0) return;
      io.interrupt();
      io.interrupt();
    };
    await end(io, ["run", "batch.json"]);
    assert.deepEqual(io.exits, [130]);
  });

  it("names the data directory in what it suggests when one was given", async () => {
    const { err } = await rowcall("run", "batch.json", "--data-dir", "my data");
    assert.match(err, /rowcall rerun \S+ --failed --data-dir 'my data'$/m);
  });
});

describe("commands about a run", () => {
  useWorkspace(6, (made) => (workspace = made));

  it("rerun attempts failed rows again, all or by code, and writes the whole table again", async () => {
    await rowcall("run", "batch.json");
    const other = await rowcall("rerun", "last", "--code", "TIMEOUT");
    assert.match(other.err, /no row was attempted/);
    assert.equal((await rowcall("rerun", "last")).code, 2);
    const mistyped = await rowcall("rerun", "last", "--code", "TIMEOT");
    assert.match(mistyped.err, /hint: Did you mean TIMEOUT\?/);
    let calls = 0;
    workspace.onRow = () => (calls += 1);
    const failed = await rowcall("rerun", "last", "--failed", "--json");
    assert.deepEqual([failed.code, calls, parseRun(failed.out).counts.failed], [3, 1, 1]);
  });

  it("stop asks a run that is going to stop, and tells when it is not going", async () => {
    const asked = Promise.withResolvers<Ended>();
    workspace.onRow = async () => asked.resolve(await rowcall("stop", "monday", "--json"));
    await rowcall("run", "batch.json", "--rows", "0", "--name", "monday");
    const { code, out, err } = await asked.promise;
    assert.deepEqual([code, parseRun(out).status], [0, "running"]);
    assert.match(err, /was asked to stop: its rows in flight finish first\. rowcall resume/);
    assert.match((await rowcall("stop", "monday")).err, /is not running: its status is succeeded/);
  });

  it("runs lists runs, newest first, as a table or as JSON", async () => {
    assert.match((await rowcall("runs")).err, /No runs here yet/);
    await rowcall("run", "batch.json", "--name", "first");
    await rowcall("run", "batch.json", "--name", "second", "--output", "second.csv");
    const table = (await rowcall("runs")).out.trimEnd().split("\n");
    assert.equal(table.length, 3);
    assert.match(table[1] ?? "", /second +succeeded +doubler@1\.0\.0 +6 +1/);
    assert.deepEqual(
      (JSON.parse((await rowcall("runs", "--json")).out) as Run[]).map(({ name }) => name),
      ["second", "first"],
    );
  });

  it("show tells counts, failures, slowest rows and places", async () => {
    await rowcall("run", "batch.json", "--name", "monday");
    const { out } = await rowcall("show", "monday");
    assert.match(out, /^Rows +6: 5 succeeded, 1 failed, 0 in flight, 0 pending$/m);
    assert.match(out, /^AGENT_FAILED {2}1 +row 3 \(line 5\): no luck with 3$/m);
    assert.match(out, /^Slowest row/m);
    const json = parseRun((await rowcall("show", "monday", "--json")).out);
    assert.equal(json.slowest.length, 5);
  });

  it("rows lists rows by status and code, and all about them as JSON Lines", async () => {
    await rowcall("run", "batch.json");
    const failed = await rowcall("rows", "last", "--status", "failed");
    assert.match(failed.out, /^3 +5 +failed +1 .*AGENT_FAILED: no luck with 3$/m);
    assert.equal(failed.out.trimEnd().split("\n").length, 2);
    const rows = parseRows((await rowcall("rows", "last", "--json", "--limit", "2")).out);
    assert.deepEqual(
      rows.map(({ row, status, cells }) => [row, status, cells["text"]]),
      [
        [0, "succeeded", "row, 0"],
        [1, "succeeded", "row, 1"],
      ],
    );
    const none = await rowcall("rows", "last", "--code", "TIMEOUT");
    assert.deepEqual([none.code, none.out, none.err], [0, "", "No rows match.\n"]);
    const cut = await rowcall("rows", "last", "--limit", "2");
    assert.match(cut.err, /first 2 rows/);
  });

  it("export writes the table again: on standard output, as JSON Lines, with another mapping", async () => {
    await rowcall("run", "batch.json");
    assert.equal((await rowcall("export", "last")).out, await workspace.read("out.csv"));
    const jsonl = await rowcall("export", "last", "--output", "again.jsonl");
    assert.equal(jsonl.out, "again.jsonl\n");
    assert.deepEqual(
      parseRows(await workspace.read("again.jsonl")).map((row) => row.double),
      [0, 2, 4, null, 8, 10],
    );
    await workspace.write("mapping.yaml", "include_original: false\nadd_metadata: false\nrename: { double: twice }\n");
    assert.equal((await rowcall("export", "last", "--mapping", "mapping.yaml")).out, 'twice\n0\n2\n4\n""\n8\n10\n');
    assert.equal((await rowcall("export", "last", "--output", "again.jsonl")).code, 2);
  });

  it("export warns of a field that no answer had, in words and as a value", async () => {
    await rowcall("run", "batch.json");
    await workspace.write("misspelt.yaml", "structured_output_fields: [duoble]\n");
    const exported = ["export", "last", "--mapping", "misspelt.yaml", "--output"];
    const { code, err } = await rowcall(...exported, "first.csv");
    assert.equal(code, 0);
    assert.match(
      err,
      /^warning: Field duoble not found in structured output\nhint: Field names are case-sensitive: .*\n$/,
    );
    const json = await rowcall(...exported, "second.csv", "--json");
    const { outputUri, warnings } = JSON.parse(json.out) as { outputUri: string; warnings: { message: string }[] };
    assert.deepEqual([outputUri, json.err], ["second.csv", ""]);
    assert.deepEqual(
      warnings.map(({ message }) => message),
      ["Field duoble not found in structured output"],
    );
  });

  it("find a run by id, the beginning of its id, name or last, and say what is near when there is none", async () => {
    assert.match((await rowcall("show", "last")).err, /no run is remembered here/);
    await rowcall("run", "batch.json", "--name", "monday");
    const [run] = JSON.parse((await rowcall("runs", "--json")).out) as Run[];
    assert.ok(run !== undefined);
    for (const text of [run.id, run.id.slice(0, -2), "monday", "last"]) {
      assert.equal(parseRun((await rowcall("show", text, "--json")).out).id, run.id, text);
    }
    assert.match((await rowcall("show", "munday")).err, /hint: Did you mean "monday"\?/);
    await rowcall("run", "batch.json", "--force");
    const ambiguous = await rowcall("show", "20");
    assert.match(ambiguous.err, /error: 2 runs begin with "20"\nhint: .*, /);
  });
});
