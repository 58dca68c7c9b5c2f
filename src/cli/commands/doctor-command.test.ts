import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { createTestIo } from "../../../test/fakes/io.ts";
import { createWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { wire } from "../../app/wire.ts";
import { doctorChecks, makeCheck } from "../doctor/checks.ts";
import { lookAtMemory, lookAtNode, lookAtSpace } from "../doctor/machine-findings.ts";
import { runCli } from "../run-cli.ts";

const megabyte = 1024 ** 2;

describe("checks of the machine", () => {
  it("refuses a Node that is too old", () => {
    assert.deepEqual(
      [lookAtNode("24.1.0").status, lookAtNode("25.0.0").status, lookAtNode("22.9.0").status],
      ["passed", "passed", "failed"],
    );
  });

  it("says how many pages memory allows, and which concurrency that is", () => {
    assert.deepEqual(
      [lookAtMemory(4000 * megabyte, 2).status, lookAtMemory(200 * megabyte, 2).status],
      ["passed", "failed"],
    );
    const tight = lookAtMemory(800 * megabyte, 2);
    assert.equal(tight.status, "warning");
    assert.match(tight.hint ?? "", /`rowcall run --max-concurrency 3` or less/);
  });

  it("warns before the disk is full", () => {
    const statuses = [5000, 1000, 10].map((free) => lookAtSpace("/data", free * megabyte).status);
    assert.deepEqual(statuses, ["passed", "warning", "failed"]);
  });
});

describe("rowcall doctor", () => {
  let workspace: Workspace;
  beforeEach(async () => {
    workspace = await createWorkspace(1);
  });
  afterEach(() => workspace.remove());

  async function rowcall(...args: string[]): Promise<{ code: number; out: string }> {
    const io = createTestIo({ workingDirectory: workspace.folder });
    const code = await runCli(args, io);
    return { code, out: io.out() };
  }

  it("starts the browser that is found, looks at everything and leaves nothing behind", async () => {
    const before = await readdir(workspace.folder);
    const { code, out } = await rowcall("doctor", "--json");
    const { healthy, checks } = JSON.parse(out) as { healthy: boolean; checks: { id: string; status: string }[] };
    assert.deepEqual(
      checks.map(({ id }) => id),
      [
        "node",
        "chromium",
        "sandbox",
        "memory",
        "disk",
        "registry",
        "data_directory",
        "working_directory",
        "temporary_folder",
        "file_modes",
        "exposed_endpoints",
      ],
    );
    assert.deepEqual([code, healthy], [0, true], out);
    assert.deepEqual(await readdir(workspace.folder), before);
  });

  it("passes on why a folder cannot be written", async () => {
    const file = workspace.at("rows.csv");
    const wiring = wire({ workingDirectory: file, dataDirectory: file, env: {} });
    const machine = { wiring, processor: () => assert.fail(), browser: () => assert.fail() };
    const made = (id: string): ReturnType<typeof makeCheck> =>
      makeCheck(doctorChecks.find((check) => check.id === id) ?? assert.fail(id), machine);
    const data = await made("data_directory");
    assert.deepEqual([data.status, data.hint], ["failed", "Choose another --data-dir."]);
    assert.match(data.detail, /ENOTDIR/);
    assert.equal((await made("working_directory")).status, "warning");
  });

  it("ends with 2 when there is no browser and a file of the registry is broken, and says where it looked", async () => {
    await workspace.write("registry/agents/odd_v1.0.0.json", {
      agent_name: "odd",
      version: "1.0.0",
      kind: "abacus",
      structured_output: { enabled: true },
    });
    await workspace.write("registry/agents/half_v1.0.0.json", "{");
    const { code, out } = await rowcall("doctor", "--chromium", "nowhere/chromium");
    assert.equal(code, 2);
    assert.match(
      out,
      /^✗ Chromium starts and shows a page\n {4}None works\. Looked at: explicit .*nowhere\/chromium \(not an executable file\)\n {4}hint: /m,
    );
    assert.match(out, /Unknown agent kind "abacus"/);
    assert.match(out, /half_v1\.0\.0\.json is not JSON: .+ \(line 1, column 2\)/);
    assert.match(out, /^Not ready: /m);
  });
});
