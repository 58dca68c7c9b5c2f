import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TryResult } from "../../app/try-row.ts";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

let workspace: Workspace;
let io: TestIo;
async function rowcall(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  io = createTestIo({ workingDirectory: workspace.folder });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

const reportOf = async (...args: string[]): Promise<TryResult> =>
  JSON.parse((await rowcall("try", "batch.json", ...args, "--json")).out) as TryResult;

describe("rowcall try", () => {
  useWorkspace(6, (made) => (workspace = made));

  it("shows a row from its cells to the enriched row, and ends with 0", async () => {
    const { code, out } = await rowcall("try", "batch.json", "--row", "2");
    assert.equal(code, 0);
    assert.match(
      out,
      /^Row 2 \(line 4\), agent doubler@1\.0\.0\n\nCells\n {2}n: "2"\n {2}text: row, 2\n\nAgent input\n/,
    );
    assert.match(out, /^Reply\n {2}structured_output:\n {4}double: 4\n\nExtracted output\n {2}double: 4$/m);
    assert.match(out, /^double +4$/m);
    assert.match(out, /^_status +SUCCESS$/m);
    assert.match(out, /^Succeeded in /m);
  });

  it("ends with 3 and says why when the row failed", async () => {
    const { code, out } = await rowcall("try", "batch.json", "--row", "3");
    assert.equal(code, 3);
    assert.match(out, /^_error_message +no luck with 3$/m);
    assert.match(out, /^Failed after .+ with AGENT_FAILED: no luck with 3$/m);
  });

  it("takes cells in place of an input, and over those of a row", async () => {
    const made = await reportOf("--set", "n=21");
    assert.deepEqual(made.input, { n: "21" });
    assert.deepEqual(made.reply, { structured_output: { double: 42 } });
    const replaced = await reportOf("--row", "1", "--set", "n=5", "--set", "text=a=b");
    assert.deepEqual([replaced.row, replaced.line, replaced.cells], [1, 3, { n: "5", text: "a=b" }]);
  });

  it("takes the first row when none is named, and shows nothing of an agent that was not asked", async () => {
    await workspace.write("batch.json", {
      agent: "doubler",
      input: "rows.csv",
      input_mapping: { column_mappings: [{ csv_column: "n", agent_input_field: "n", required: true }] },
    });
    const { attempt, row } = await reportOf();
    assert.deepEqual([row, attempt.outcome.status], [0, "succeeded"]);
    const refused = await reportOf("--set", "n=");
    assert.equal(refused.attempt.outcome.status === "failed" && refused.attempt.outcome.code, "ROW_VALUE_MISSING");
    assert.equal("reply" in refused || "input" in refused, false);
  });

  it("says which rows and columns there are", async () => {
    assert.match((await rowcall("try", "batch.json", "--row", "6")).err, /Row 6 is not in the input, which has 6 rows/);
    assert.match(
      (await rowcall("try", "batch.json", "--row", "0", "--set", "txt=x")).err,
      /There is no column "txt" to set\nhint: Did you mean "text"\?/,
    );
    assert.match((await rowcall("try", "batch.json", "--set", "n")).err, /Write it as column=value/);
  });

  it("ends with 130 when it is interrupted", async () => {
    workspace.onRow = () => io.interrupt();
    await workspace.write(
      "slow.mjs",
      `export default (_, { signal }) => new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        globalThis.rowcallTestHooks.get(${JSON.stringify(workspace.folder)}).onRow(0);
      });`,
    );
    const { code, out } = await rowcall("try", "batch.json", "--json", "--agent-config", '{"module": "./slow.mjs"}');
    assert.equal(code, 130);
    assert.match(out, /"code":"INTERRUPTED"/);
  });

  it("says why a reply cannot be stored, also one that cannot be shown", async () => {
    await workspace.write("big.mjs", "export default () => ({ structured_output: { double: 3n } });");
    const { code, out } = await rowcall("try", "batch.json", "--json", "--agent-config", '{"module": "./big.mjs"}');
    assert.equal(code, 3);
    const { reply, attempt } = JSON.parse(out) as { reply: unknown; attempt: { outcome: Record<string, unknown> } };
    assert.equal(reply, undefined);
    assert.equal(attempt.outcome["message"], "structured_output.double is a BigInt (3n), which JSON cannot hold");
  });

  it("shows every digit of a number", async () => {
    const digits = "12345678901234567890";
    const text = `{"structured_output":{"double":${digits}}}`;
    await workspace.write("long.mjs", `export default () => ({ Output: ${JSON.stringify(text)} });`);
    const { out } = await rowcall("try", "batch.json", "--agent-config", '{"module": "./long.mjs"}');
    assert.match(out, new RegExp(`^ +double: "${digits}"$`, "m"));
    assert.doesNotMatch(out, /123456789012345670|rawJSON/);
  });

  it("keeps what the agent leaves behind in a folder of its own", async () => {
    await workspace.write(
      "keep.mjs",
      'export default async (_, { artifacts }) => { artifacts.step({ name: "look", status: "done", durationMs: 7, detail: "seen" }); await artifacts.save("page.txt", Buffer.from("hello"), "text/plain"); return { structured_output: { double: 0 } }; };',
    );
    const { out } = await rowcall("try", "batch.json", "--agent-config", '{"module": "./keep.mjs"}');
    assert.match(out, /^✓ +7 ms +look +seen$/m);
    assert.match(out, /^Recordings\n {2}.*[/\\]recordings[/\\]try-\d{8}-\d{6}[/\\]0-1[/\\]page\.txt$/m);
  });
});
