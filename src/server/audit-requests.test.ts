import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openTestServer, testToken, type TestServer } from "../../test/fakes/server.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import type { AuditEntry } from "../app/audit.ts";

describe("the audit log of the server", () => {
  let workspace: Workspace;
  let server: TestServer;
  const entries: AuditEntry[] = [];
  useWorkspace(4, (made) => (workspace = made));
  beforeEach(async () => {
    entries.length = 0;
    server = await openTestServer(workspace, {
      audit: async (entry) => void entries.push(entry),
    });
  });
  afterEach(() => server.end());

  it("says who started, changed and published what, and what of it was refused", async () => {
    const batch = { agent: "doubler", input: workspace.at("rows.csv") };
    const { run } = await server.ask<{ run: { id: string } }>("POST", "/runs", { batch, name: "monday" });
    const { id } = run;
    await server.until(id, ({ status }) => status === "succeeded");
    await server.ask("PATCH", `/runs/${id}/limits`, { maxConcurrency: 3 });
    const agent = JSON.parse(await workspace.read("registry/agents/doubler_v1.0.0.json")) as object;
    await server.ask("POST", "/agents", { ...agent, version: "1.1.0" });
    await assert.rejects(server.ask("POST", "/runs/nothing/stop", {}));
    assert.deepEqual(
      entries.map(({ via, by, action, target, outcome }) => [via, by, action, target, outcome]),
      [
        ["api", "token", "startRun", id, "done"],
        ["api", "token", "adjustRun", id, "done"],
        ["api", "token", "publishAgent", "doubler@1.1.0", "done"],
        ["api", "token", "stopRun", "nothing", "RUN_NOT_FOUND"],
      ],
    );
    assert.deepEqual(entries[0]?.detail, { name: "monday" });
    assert.deepEqual(entries[1]?.detail, { maxConcurrency: 3 });
  });

  it("leaves out what only looks, what repeats an answer, and who was not let in", async () => {
    const batch = { agent: "doubler", input: workspace.at("rows.csv") };
    await server.ask("GET", "/runs");
    await server.ask("POST", "/plans", { batch });
    assert.equal(
      (await server.request("/api/v1/runs", { method: "POST", headers: { authorization: "Bearer no" } })).status,
      401,
    );
    const start = async (): Promise<string> => {
      const body = JSON.stringify({ batch });
      const answer = await server.request("/api/v1/runs", {
        method: "POST",
        body,
        headers: { "idempotency-key": "k" },
      });
      return ((await answer.json()) as { run: { id: string } }).run.id;
    };
    assert.equal(await start(), await start());
    assert.deepEqual(
      entries.map(({ action }) => action),
      ["startRun"],
    );
  });

  it("tells sessions of the dashboard apart, and holds nothing that lets anybody in", async () => {
    const sign = await server.app.request(`/?code=${server.createCode()}`, { headers: { host: "127.0.0.1:8084" } });
    const cookie = sign.headers.get("set-cookie")?.split(";")[0] ?? "";
    const search = new URLSearchParams({ agent: "doubler@1.0.0", input: workspace.at("rows.csv"), "map.n": "n" });
    const started = await server.app.request(`/new/start?${search}`, {
      method: "POST",
      body: new URLSearchParams(),
      headers: { host: "127.0.0.1:8084", cookie, "sec-fetch-site": "same-origin", accept: "text/html" },
    });
    assert.equal(started.status, 303, await started.text());
    const [begun, entry] = entries;
    assert.deepEqual(
      [entries.length, begun?.action, entry?.via, entry?.action, entry?.outcome],
      [2, "signIn", "dashboard", "POST /new/start", "done"],
    );
    assert.equal(begun?.by, entry?.by);
    assert.match(entry?.by ?? "", /^session:[\da-f]{8}$/);
    assert.match(entry?.target ?? "", /^\/runs\/\d{8}-\d{6}-\w{4}$/);
    const value = cookie.split("=")[1] ?? "";
    assert.ok(!JSON.stringify(entries).includes(value) && !JSON.stringify(entries).includes(testToken));
  });
});
