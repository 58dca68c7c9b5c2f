import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { sessionId } from "./session.ts";
import { batchOf, openTestServer, testToken, type TestServer } from "../../../test/fakes/server.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";

const host = "127.0.0.1:8084";

describe("who is let in", () => {
  let workspace: Workspace;
  let server: TestServer;
  useWorkspace(5, (made) => (workspace = made));
  beforeEach(async () => {
    server = await openTestServer(workspace, { maxUploadBytes: 1000 });
  });
  afterEach(() => server.end());

  /** A request as it is, without the token. */
  const bare = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> =>
    Promise.resolve(server.app.request(path, { ...init, headers: { host, ...headers } }));
  const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as { code: unknown }).code;

  async function cookie(): Promise<string> {
    const response = await bare(`/runs/x?page=2&code=${server.createCode()}`);
    assert.deepEqual([response.status, response.headers.get("location")], [303, "/runs/x?page=2"]);
    const set = response.headers.get("set-cookie") ?? "";
    assert.match(set, /HttpOnly/);
    assert.match(set, /SameSite=Strict/);
    assert.ok(!set.includes(testToken));
    return set.split(";")[0] ?? "";
  }

  it("refuses who has no token, or a wrong one, wherever it is", async () => {
    for (const path of ["/", "/api/v1/runs", "/metrics", "/api/v1/openapi.json", "/api/v1/events", "/nothing"]) {
      for (const headers of [
        {},
        { authorization: "Bearer wrong" },
        { authorization: `Basic ${testToken}` },
        { cookie: "rowcall_00000000_8084=1.x" },
      ] as Record<string, string>[]) {
        const response = await bare(path, headers);
        assert.deepEqual([response.status, await codeOf(response)], [401, "TOKEN_INVALID"], path);
        assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
      }
    }
    for (const query of [`token=${testToken}`, "code=", `code=${testToken}`, `code=${"x".repeat(32)}`])
      assert.equal((await bare(`/?${query}`)).status, 401, query);
    const code = server.createCode();
    assert.equal((await bare(`/api/v1/runs?code=${code}`, {}, { method: "POST" })).status, 401);
    assert.equal((await bare(`/?code=${code}`)).status, 303);
    assert.equal((await bare(`/?code=${code}`)).status, 401, "twice");
  });

  it("takes the session that the printed address begins, and no other or older one", async () => {
    const session = await cookie();
    assert.equal((await bare("/api/v1/runs", { cookie: session })).status, 200);
    const [name = "", value = ""] = session.split("=");
    assert.match(name, /^rowcall_[\da-f]{8}_8084$/);
    for (const forged of [`${value}x`, value.slice(1), "", "../../server-token", sessionId(value)])
      assert.equal((await bare("/api/v1/runs", { cookie: `${name}=${forged}` })).status, 401);
    // A server at another port of the same host hears the cookie, and has no use for it.
    const other = { cookie: `${session}; ${session.replace("_8084=", "_9999=")}`, host: "127.0.0.1:9999" };
    assert.equal((await bare("/api/v1/runs", other)).status, 401);
    const later = await openTestServer(workspace, { clock: () => Date.now() + 31 * 24 * 3600 * 1000 });
    const response = await later.app.request("/api/v1/runs", { headers: { host, cookie: session } });
    assert.equal(response.status, 401);
    await later.end();
  });

  it("leaves the code of an error in an address to the page that asks for it", async () => {
    const session = { cookie: await cookie() };
    const rows = await bare("/api/v1/runs/none/rows?status=failed&code=AGENT_FAILED", session);
    assert.deepEqual([rows.status, await codeOf(rows)], [404, "RUN_NOT_FOUND"]);
    const accept = "text/html";
    const signIn = await bare("/runs/none/rows?code=AGENT_FAILED", { accept });
    assert.equal(signIn.status, 401);
    assert.doesNotMatch(await signIn.text(), /used already/);
    assert.match(await (await bare("/?code=used", { accept })).text(), /used already/);
  });

  it("begins a session with the token of a form, and ends it when its owner signs out", async () => {
    const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
      bare(path, { "content-length": String(body.length), ...headers }, { method: "POST", body });
    assert.equal((await post("/sign-in", "token=wrong")).status, 401);
    assert.equal((await post("/sign-in", `token=${testToken}&x=${"x".repeat(5000)}`)).status, 401);
    const begun = await post("/sign-in", `token=${testToken}`);
    assert.deepEqual([begun.status, begun.headers.get("location")], [303, "/"]);
    const session = { cookie: begun.headers.get("set-cookie")?.split(";")[0] ?? "" };
    assert.equal((await bare("/api/v1/runs", session)).status, 200);
    assert.equal((await post("/sign-out", "", { ...session, origin: "https://evil.example" })).status, 403);
    assert.equal((await post("/sign-out", "", { ...session, "sec-fetch-site": "same-origin" })).status, 303);
    assert.equal((await bare("/api/v1/runs", session)).status, 401);
  });

  it("changes nothing for a page of another site, although the browser sends the session", async () => {
    const session = await cookie();
    const post = (headers: Record<string, string>): Promise<Response> =>
      bare("/api/v1/runs", { cookie: session, ...headers }, { method: "POST", body: "{}" });
    for (const headers of [
      {},
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site", origin: `http://${host}` },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
      { origin: "http://127.0.0.1:9999" },
    ] as Record<string, string>[]) {
      const response = await post(headers);
      assert.deepEqual([response.status, await codeOf(response)], [403, "ORIGIN_FOREIGN"], JSON.stringify(headers));
    }
    for (const headers of [{ "sec-fetch-site": "same-origin" }, { origin: `http://${host}` }] as Record<
      string,
      string
    >[])
      assert.equal((await post(headers)).status, 400);
  });

  it("does not answer to another host's name, which may have been made to lead here", async () => {
    for (const name of ["evil.example", "evil.example:8084", "127.0.0.1.evil.example", "", "10.0.0.1:8084"]) {
      const response = await server.request("/api/v1/runs", { headers: { host: name } });
      assert.deepEqual([response.status, await codeOf(response)], [403, "ORIGIN_FOREIGN"], name);
    }
    for (const name of ["localhost:1", "[::1]:1", "127.0.0.1"])
      assert.equal((await server.request("/api/v1/runs", { headers: { host: name } })).status, 200);
    const exposed = await openTestServer(workspace, { loopbackOnly: false, isSecure: true });
    assert.equal((await exposed.request("/api/v1/runs", { headers: { host: "rows.example" } })).status, 200);
    const begun = await exposed.app.request(`/?code=${exposed.createCode()}`, { headers: { host: "rows.example" } });
    assert.match(begun.headers.get("set-cookie") ?? "", /^__Host-rowcall_\w+=.*; Secure/);
    await exposed.end();
  });

  it("says with every answer that nothing of other sites belongs to it", async () => {
    for (const response of [await bare("/health"), await bare("/"), await server.request("/api/v1/runs")]) {
      const policy = response.headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /script-src 'self' 'nonce-[\w+/=]+'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.ok(!/unsafe|https?:/.test(policy));
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.equal(response.headers.get("referrer-policy"), "same-origin");
      assert.equal(response.headers.get("access-control-allow-origin"), null);
    }
  });

  it("tells its health to anybody, and nothing else", async () => {
    assert.deepEqual(await (await bare("/health")).json(), { status: "ok" });
    assert.deepEqual(await (await bare("/ready")).json(), { status: "ready" });
  });

  it("refuses bodies in which something would be lost", async () => {
    for (const config of ['{"id": 12345678901234567890}', '{"id": 1, "id": 2}']) {
      const body = `{"batch": {"agent": "doubler", "agent_config": ${config}}}`;
      const response = await server.request("/api/v1/plans", { method: "POST", body });
      assert.equal(response.status, 400);
      assert.match(await response.text(), /The body is not valid: .*id/);
    }
  });

  it("refuses bodies that are too large, told or streamed, and keeps nothing of them", async () => {
    const batch = JSON.stringify({ batch: { agent: "doubler", name: "x".repeat(3 * 1024 * 1024) } });
    const large = await server.request("/api/v1/runs", { method: "POST", body: batch });
    assert.deepEqual([large.status, await codeOf(large)], [413, "REQUEST_TOO_LARGE"]);
    const told = await server.request("/api/v1/uploads", { method: "POST", body: `a\n${"1\n".repeat(1000)}` });
    assert.deepEqual([told.status, await codeOf(told)], [413, "REQUEST_TOO_LARGE"]);
    const body = new ReadableStream({
      pull: (stream) => stream.enqueue(Buffer.from("1,2\n".repeat(100))),
    });
    const streamed = await server.request("/api/v1/uploads", { method: "POST", body, duplex: "half" } as RequestInit);
    assert.deepEqual([streamed.status, await codeOf(streamed)], [413, "REQUEST_TOO_LARGE"]);
    const kept = await Array.fromAsync(server.context.store.list(workspace.at(".rowcall", "uploads/")));
    assert.deepEqual(kept, []);
  });

  it("keeps uploads in their own folder, whatever they are called", async () => {
    for (const name of ["../../../evil.csv", "..", "/etc/passwd", String.raw`C:\evil.csv`, "a\u0000b.csv"]) {
      const path = `/api/v1/uploads?name=${encodeURIComponent(name)}`;
      const response = await server.request(path, { method: "POST", body: "a\n1\n" });
      const { inputUri } = (await response.json()) as { inputUri: string };
      assert.match(inputUri, /\/uploads\/[\w-]{36}\/[^/\\]+$/, name);
      assert.ok(!inputUri.includes(".."), name);
    }
  });

  it("answers only recordings that an attempt names", async () => {
    const { run } = await server.ask<{ run: { id: string } }>("POST", "/runs", { batch: await batchOf(workspace) });
    await server.until(run.id, ({ status }) => status === "succeeded");
    for (const name of ["..%2F..%2Fjournal.db", "%2Fetc%2Fpasswd", "..%5Cjournal.db", "final.png", "%00"]) {
      const response = await server.request(`/api/v1/runs/${run.id}/rows/1/attempts/1/recordings/${name}`);
      assert.deepEqual([response.status, await codeOf(response)], [404, "ROW_NOT_FOUND"], name);
    }
    for (const path of ["..%2Fx", "x/../../y"])
      assert.equal((await server.request(`/api/v1/runs/${path}`)).status, 404);
  });

  it("hands on HTML and scripts in cells as the text that they are", async () => {
    const cell = `<script>alert(1)</script><img src=x onerror="alert(2)">`;
    await workspace.write("rows.csv", `n,text\n1,"${cell.replaceAll('"', '""')}"\n`);
    const { run } = await server.ask<{ run: { id: string } }>("POST", "/runs", { batch: await batchOf(workspace) });
    await server.until(run.id, ({ status }) => status === "succeeded");
    const response = await server.request(`/api/v1/runs/${run.id}/rows/0`);
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    assert.equal(((await response.json()) as { cells: { text: string } }).cells.text, cell);
    const table = await server.request(`/api/v1/runs/${run.id}/table`);
    assert.match(table.headers.get("content-disposition") ?? "", /^attachment/);
    assert.match(table.headers.get("content-type") ?? "", /^text\/csv/);
  });
});
