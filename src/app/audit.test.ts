import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { callTool, openTestMcp, untilEnded } from "../../test/fakes/mcp-client.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { openAudit, type AuditEntry } from "./audit.ts";

const entry: AuditEntry = { via: "api", by: "token", action: "stopRun", target: "monday", outcome: "done" };

describe("audit.jsonl", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall audit "));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (told: string[] = []): ReturnType<typeof openAudit> =>
    openAudit({
      dataDirectory: join(folder, "kept"),
      clock: () => 0,
      stderr: { write: (text) => void told.push(text) },
    });

  it("grows by one line an entry, also from several writers at once, and is its owner's alone", async () => {
    await Promise.all([open(), open(), open()].flatMap((audit) => Array.from({ length: 20 }, () => audit(entry))));
    const lines = (await readFile(join(folder, "kept", "audit.jsonl"), "utf8")).trimEnd().split("\n");
    assert.equal(lines.length, 60);
    for (const line of lines) assert.deepEqual(JSON.parse(line), { at: "1970-01-01T00:00:00.000Z", ...entry });
    assert.equal((await stat(join(folder, "kept", "audit.jsonl"))).mode & 0o777, 0o600);
  });

  it("follows no link, says once that it cannot be written, and stops nobody", async () => {
    await open()(entry);
    await rm(join(folder, "kept", "audit.jsonl"));
    await writeFile(join(folder, "other"), "mine");
    await symlink(join(folder, "other"), join(folder, "kept", "audit.jsonl"));
    const told: string[] = [];
    const audit = open(told);
    await audit(entry);
    await audit(entry);
    assert.equal(await readFile(join(folder, "other"), "utf8"), "mine");
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /^warning: .*audit\.jsonl cannot be written/);
  });
});

describe("what an assistant does", () => {
  let workspace: Workspace;
  useWorkspace(4, (made) => (workspace = made));

  it("stands in the audit log with its name; what it looks at does not", async () => {
    const mcp = await openTestMcp(workspace);
    try {
      const client = await mcp.connect();
      await callTool(client, "list_runs");
      await callTool(client, "plan_batch", { batch: "batch.json" });
      await callTool(client, "start_batch", { batch: "batch.json", name: "monday" });
      await untilEnded(client, "monday");
      await callTool(client, "stop_run", { run: "nothing" });
    } finally {
      await mcp.close();
    }
    const lines = (await workspace.read(".rowcall/audit.jsonl")).trimEnd().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as AuditEntry);
    assert.deepEqual(
      entries.map(({ via, by, action, outcome }) => [via, by, action, outcome]),
      [
        ["mcp", "test 1.0.0", "start_batch", "done"],
        ["mcp", "test 1.0.0", "stop_run", "RUN_NOT_FOUND"],
      ],
    );
    assert.match(entries[0]?.target ?? "", /^\d{8}-/);
    assert.deepEqual(entries[0]?.detail, { batch: "batch.json", name: "monday" });
  });
});
