import assert from "node:assert/strict";
import { readdir, rm, utimes } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { readEvents } from "../../../test/fakes/read-events.ts";
import { batchOf, openTestServer, testToken, type TestServer } from "../../../test/fakes/server.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import type { AuditEntry } from "../../app/audit.ts";
import { openToken } from "./secrets.ts";
import { rotateToken, type SessionView } from "./session.ts";

const host = "127.0.0.1:8084";
const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";
const safari =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";
const day = 24 * 3600 * 1000;

interface Listed {
  readonly sessions: readonly SessionView[];
  readonly own?: string;
}

describe("sessions", () => {
  let workspace: Workspace;
  let server: TestServer;
  let now: number;
  const audited: AuditEntry[] = [];
  useWorkspace(3, (made) => (workspace = made));
  beforeEach(async () => {
    now = Date.UTC(2026, 10, 1);
    audited.length = 0;
    server = await openTestServer(workspace, {
      clock: () => now,
      audit: async (entry) => void audited.push(entry),
    });
  });
  afterEach(() => server.end());

  const ask = async (
    method: string,
    path: string,
    cookie: string,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    server.app.request(path, { method, headers: { host, cookie, "sec-fetch-site": "same-origin", ...headers } });
  const page = async (path: string, cookie: string): Promise<string> =>
    (await ask("GET", path, cookie, { accept: "text/html" })).text();
  const list = async (cookie: string): Promise<Listed> =>
    (await (await ask("GET", "/api/v1/sessions", cookie)).json()) as Listed;

  /** Signs a browser in by an address. @returns its cookie */
  async function signIn(browser = firefox, from?: TestServer): Promise<string> {
    const begun = await (from ?? server).app.request(`/?code=${(from ?? server).createCode()}`, {
      headers: { host, "user-agent": browser },
    });
    return begun.headers.get("set-cookie")?.split(";")[0] ?? "";
  }

  it("are listed: since when, until when, last used, which browser, and which one asks", async () => {
    const one = await signIn();
    now += 5 * 60_000;
    const two = await signIn(safari);
    now += 30_000;
    const { sessions, own } = await list(one);
    const [second, first] = sessions;
    assert.equal(own, first?.id);
    const begunAt = Date.UTC(2026, 10, 1);
    assert.deepEqual(first, { id: own, begunAt, usedAt: now, expiresAt: begunAt + 30 * day, browser: firefox });
    // The second was not used since it began, and is no other's own.
    assert.deepEqual([second?.begunAt, second?.usedAt], [now - 30_000, now - 30_000]);
    assert.equal((await list(two)).own, second?.id);
    assert.equal((await server.ask<Listed>("GET", "/sessions")).own, undefined);
    assert.ok(!JSON.stringify(sessions).includes(one.split("=")[1] ?? "?"), "nothing listed lets in");
  });

  it("are told apart by people on a page, which says which browser each is, and escapes what it calls itself", async () => {
    const one = await signIn();
    await signIn(safari);
    await signIn("<script>alert(1)</script>");
    const text = await page("/sessions", one);
    assert.match(text, /Firefox 144 on Linux<\/span>\s*<span class="badge info">This browser/);
    assert.match(text, /Safari 18 on iPhone/);
    assert.match(text, /&lt;script&gt;alert\(1\)/);
    assert.match(text, /action="\/sign-out"><button class="small">Sign out/);
    assert.equal(text.match(/End<span/g)?.length, 2);
    assert.match(text, /End all others/);
    // Who sends the token has no session to sign out of.
    const byToken = await (await server.request("/sessions", { headers: { accept: "text/html" } })).text();
    assert.ok(!byToken.includes("Sign out") && byToken.includes("End all sessions"));
  });

  it("end one by one, and all others at once, by the page and by the API", async () => {
    const [one, two, three, four] = [await signIn(), await signIn(), await signIn(), await signIn()];
    const idOf = async (cookie: string): Promise<string> => (await list(cookie)).own ?? "";
    const isOpen = async (cookie: string): Promise<boolean> => (await ask("GET", "/api/v1/runs", cookie)).ok;
    const ended = await ask("POST", `/sessions/${await idOf(two)}/end`, one);
    assert.deepEqual([ended.status, ended.headers.get("location")], [303, "/sessions?did=end"]);
    assert.equal(await isOpen(two), false);
    const id = await idOf(three);
    assert.deepEqual(await (await ask("DELETE", `/api/v1/sessions/${id}`, one)).json(), { ended: 1 });
    assert.equal(await isOpen(three), false);
    const again = await ask("DELETE", `/api/v1/sessions/${id}`, one);
    assert.deepEqual([again.status, ((await again.json()) as { code: string }).code], [404, "SESSION_NOT_FOUND"]);
    await signIn();
    const others = await ask("POST", "/sessions/end-others", one);
    assert.equal(others.headers.get("location"), "/sessions?did=end-others");
    assert.deepEqual([await isOpen(one), await isOpen(four)], [true, false]);
    assert.match(await page("/sessions?did=end-others", one), /All other sessions have ended/);
    await signIn();
    assert.deepEqual(await (await ask("DELETE", "/api/v1/sessions", one)).json(), { ended: 1 });
    assert.deepEqual(await server.ask("DELETE", "/sessions"), { ended: 1 });
    assert.equal(await isOpen(one), false);
  });

  it("are ended by no page of another site", async () => {
    const [one, two] = [await signIn(), await signIn()];
    const id = (await list(two)).own ?? "";
    for (const [method, path] of [
      ["POST", `/sessions/${id}/end`],
      ["POST", "/sessions/end-others"],
      ["DELETE", `/api/v1/sessions/${id}`],
      ["DELETE", "/api/v1/sessions"],
    ] as const)
      assert.equal((await ask(method, path, one, { "sec-fetch-site": "cross-site" })).status, 403, path);
    assert.equal((await list(one)).sessions.length, 2);
  });

  it("end when their owner signs out, who is told so, also in a tab that was left open", async () => {
    const cookie = await signIn();
    assert.match(await page("/", cookie), /<form class="sign-out" method="post" action="\/sign-out">/);
    for (const time of ["once", "twice"]) {
      const out = await ask("POST", "/sign-out", cookie);
      assert.deepEqual([out.status, out.headers.get("location")], [303, "/sign-in?signed-out"], time);
    }
    const after = await page("/sign-in?signed-out", "");
    assert.match(after, /role="status">\s*<p>You are signed out\.<\/p>/);
    assert.ok(!after.includes('action="/sign-out"'));
    assert.doesNotMatch(await page("/", cookie), /signed out/);
    const next = await signIn();
    assert.equal((await ask("GET", "/sign-in?signed-out", next)).headers.get("location"), "/");
    assert.deepEqual(await readdir(workspace.at(".rowcall/sessions")), [`${(await list(next)).own}.json`]);
  });

  it("are used until they end: not brought back by a request on its way, nor used for ever", async () => {
    const cookie = await signIn();
    const { own } = await list(cookie);
    await utimes(workspace.at(`.rowcall/sessions/${own}.json`), 0, 0);
    assert.equal((await list(cookie)).sessions[0]?.usedAt, now);
    now += 30 * day - 1;
    assert.equal((await list(cookie)).sessions[0]?.usedAt, now);
    now += 1;
    assert.equal((await ask("GET", "/api/v1/runs", cookie)).status, 401);
    assert.deepEqual((await server.ask<Listed>("GET", "/sessions")).sessions, []);
  });

  it("take their live events with them", async () => {
    const cookie = await signIn();
    const stream = await ask("GET", "/api/v1/events", cookie);
    const seen: string[] = [];
    for await (const { event } of readEvents(stream)) {
      seen.push(event);
      if (seen.length > 1) break;
      await ask("POST", "/sign-out", cookie);
      await server.ask("POST", "/runs", { batch: await batchOf(workspace) });
    }
    assert.deepEqual(seen, ["snapshot"]);
  });

  it("stand in the audit log with their beginning and their end", async () => {
    const cookie = await signIn();
    const { own = "" } = await list(cookie);
    const form = await server.app.request("/sign-in", {
      method: "POST",
      headers: { host, "content-length": "53" },
      body: `token=${testToken}`,
    });
    const other = form.headers.get("set-cookie")?.split(";")[0] ?? "";
    const id = (await list(other)).own ?? "";
    await ask("DELETE", `/api/v1/sessions/${id}`, cookie);
    await signIn();
    await ask("POST", "/sessions/end-others", cookie);
    await ask("POST", `/sessions/${id}/end`, cookie);
    await ask("POST", "/sign-out", cookie);
    const by = `session:${own.slice(0, 8)}`;
    const entries = audited.map(({ via, by: who, action, target, detail, outcome }) => [
      via,
      who,
      action,
      target ?? JSON.stringify(detail),
      outcome,
    ]);
    assert.deepEqual(
      entries.filter(([, , action], at) => action !== "signIn" || at < 2),
      [
        ["dashboard", by, "signIn", '{"by":"code"}', "done"],
        ["dashboard", `session:${id.slice(0, 8)}`, "signIn", '{"by":"token"}', "done"],
        ["api", by, "endSession", id, "done"],
        ["dashboard", by, "endSessions", '{"ended":1}', "done"],
        ["dashboard", by, "endSession", id, "SESSION_NOT_FOUND"],
        ["dashboard", by, "signOut", undefined, "done"],
      ],
    );
  });
});

describe("a token that is replaced while the server runs", () => {
  let workspace: Workspace;
  let server: TestServer;
  let read: () => string;
  useWorkspace(3, (made) => (workspace = made));
  beforeEach(async () => {
    server = await openTestServer(workspace);
    await server.end();
    read = await openToken(workspace.at(".rowcall"));
    server = await openTestServer(workspace, { token: read });
  });
  afterEach(() => server.end());

  const status = async (headers: Record<string, string>, path = "/api/v1/runs"): Promise<number> =>
    (await server.app.request(path, { headers: { host, ...headers } })).status;
  const signIn = async (): Promise<string> => {
    const begun = await server.app.request(`/?code=${server.createCode()}`, { headers: { host } });
    return begun.headers.get("set-cookie")?.split(";")[0] ?? "";
  };

  it("is good for nothing any more, nor are its sessions, addresses and streams", async () => {
    const before = read();
    const [cookie, code] = [await signIn(), server.createCode()];
    const authorization = `Bearer ${before}`;
    assert.deepEqual([await status({ authorization }), await status({ cookie })], [200, 200]);
    const open = async (headers: Record<string, string>): Promise<Response> =>
      server.app.request("/api/v1/events", { headers: { host, ...headers } });
    const streams = [await open({ authorization }), await open({ cookie })];
    const rotate = async (): Promise<void> => {
      assert.equal((await rotateToken(workspace.at(".rowcall"), Date.now)).sessionsEnded, 1);
    };
    let rotated: Promise<void> | undefined;
    /** What a stream tells when the token is replaced after its first event, and then a run starts. */
    const hear = async (stream: Response): Promise<readonly string[]> => {
      const events: string[] = [];
      for await (const { event } of readEvents(stream)) {
        events.push(event);
        if (events.length > 1) break;
        await (rotated ??= rotate());
        const headers = { authorization: `Bearer ${read()}` };
        const body = JSON.stringify({ batch: await batchOf(workspace), name: `run ${streams.indexOf(stream)}` });
        await server.request("/api/v1/runs", { method: "POST", headers, body });
      }
      return events;
    };
    assert.deepEqual(await Promise.all(streams.map(hear)), [["snapshot"], ["snapshot"]]);
    assert.notEqual(read(), before);
    assert.deepEqual(
      [await status({ authorization }), await status({ cookie }), await status({}, `/?code=${code}`)],
      [401, 401, 401],
    );
    assert.equal(await status({ authorization: `Bearer ${read()}` }), 200);
    assert.equal(await status({ cookie: await signIn() }), 200);
  });

  it("is whole whenever it is read", async () => {
    let isDone = false;
    const rotations = (async () => {
      for (let many = 0; many < 8; many += 1) await rotateToken(workspace.at(".rowcall"), Date.now);
      isDone = true;
    })();
    const seen = new Set<string>();
    while (!isDone) {
      seen.add(read());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await rotations;
    for (const token of seen) assert.match(token, /^[\w-]{43}$/);
    assert.deepEqual(
      (await readdir(workspace.at(".rowcall"))).filter((name) => name.startsWith("server-token")),
      ["server-token"],
    );
  });

  it("lets nobody in when its file has gone, and names no place to strangers", async () => {
    const [cookie, authorization] = [await signIn(), `Bearer ${read()}`];
    await rm(workspace.at(".rowcall/server-token"));
    for (const headers of [{ authorization }, { cookie }, {}] as Record<string, string>[]) {
      const response = await server.app.request("/api/v1/runs", { headers: { host, ...headers } });
      const text = await response.text();
      assert.deepEqual([response.status, (JSON.parse(text) as { code: string }).code], [403, "STORE_DENIED"]);
      assert.ok(!text.includes(workspace.folder), text);
    }
    assert.equal((await server.app.request("/health", { headers: { host } })).status, 200);
  });
});
