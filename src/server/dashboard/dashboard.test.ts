import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Engine, RunSurvey } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { openTestServer, type TestServer } from "../../../test/fakes/server.ts";
import { createWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { createSurveyCache } from "./dashboard.ts";

describe("the dashboard without scripts", () => {
  let workspace: Workspace;
  let server: TestServer;

  before(async () => {
    workspace = await createWorkspace(12);
    server = await openTestServer(workspace);
  });

  after(async () => {
    await server.end();
    await workspace.remove();
  });

  const page = async (path: string, init: RequestInit = {}): Promise<{ status: number; text: string; to: string }> => {
    const response = await server.request(path, {
      ...init,
      headers: { accept: "text/html", ...(init.headers as object) },
    });
    return { status: response.status, text: await response.text(), to: response.headers.get("location") ?? "" };
  };
  const post = (path: string, fields: Record<string, string> = {}): ReturnType<typeof page> =>
    page(path, {
      method: "POST",
      body: new URLSearchParams(fields).toString(),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  const choices = (): string =>
    new URLSearchParams({
      input: workspace.at("rows.csv"),
      agent: "doubler@1.0.0",
      "map.n": "n",
      retries: "0",
    }).toString();

  test("goes from a path to a run by links and forms", async () => {
    assert.match((await page(`/new/columns?${choices()}`)).text, /<option value="n" selected>/);
    assert.match((await page(`/new/plan?${choices()}`)).text, /All 12 rows make a valid input/);
    const started = await post(`/new/start?${choices()}`);
    assert.equal(started.status, 303);
    const id = started.to.split("/").at(-1) ?? "";
    await server.until(id, ({ status }) => status === "succeeded");
    const run = await page(started.to);
    assert.match(run.text, /12 of 12 rows done, 1 failed/);
    assert.match((await page(`${started.to}/rows?status=failed`)).text, /AGENT_FAILED/);
    const again = await post(`${started.to}/rerun`, { code: "AGENT_FAILED" });
    assert.equal(again.to, `/runs/${id}?did=rerun`);
    await server.until(id, ({ status }) => status === "succeeded");
    assert.match((await page(again.to)).text, /role="status"/);

    const succeeded = await page("/?status=succeeded");
    assert.match(succeeded.text, /<option value="succeeded" selected>/);
    assert.ok(succeeded.text.includes(`href="${started.to}"`));
    const stopped = await page("/?status=stopped");
    assert.match(stopped.text, /No run has this status/);
    assert.ok(!stopped.text.includes(started.to));
  });

  test("resumes a run that is paused; who asks for it twice is shown the run", async () => {
    const gate = Promise.withResolvers<void>();
    workspace.onRow = () => gate.promise;
    const { to } = await post(`/new/start?${choices()}`);
    const id = to.split("/").at(-1) ?? "";
    assert.equal((await post(`${to}/pause`)).status, 303);
    assert.equal((await post(`${to}/resume`)).to, `${to}?did=resume`);
    assert.equal((await post(`${to}/resume`)).to, `${to}?did=resume`);
    gate.resolve();
    await server.until(id, ({ status }) => status === "succeeded");
  });

  test("says on the page itself what cannot be done", async () => {
    const columns = await page("/new/columns?input=nowhere.csv&agent=doubler");
    assert.equal(columns.status, 404);
    assert.match(columns.text, /nowhere\.csv/);
    assert.match((await page("/runs/none")).text, /<h1 id="error-title">Not found/);
    assert.equal((await page("/nothing")).status, 404);
    const draft = await post("/agents/publish", { document: '{"agent_name": "doubler", "version": "1.0.0"' });
    assert.equal(draft.status, 400);
    assert.match(draft.text, /is not JSON/);
    assert.match(draft.text, /&quot;doubler&quot;, &quot;version&quot;/);
    const long = await post("/agents/publish", { document: '{"agent_name": "doubler", "x": 12345678901234567890}' });
    assert.equal(long.status, 400);
    assert.match(long.text, /x: 12345678901234567890 would be read as the number 12345678901234567000/);
  });

  test("answers problems to who reads no pages", async () => {
    const response = await server.request("/runs/none");
    assert.equal(response.headers.get("content-type"), "application/problem+json");
  });

  test("asks strangers for the token, and shows them nothing but styles", async () => {
    const stranger = await page("/", { headers: { authorization: "" } });
    assert.equal(stranger.status, 401);
    assert.match(stranger.text, /<h1 id="sign-in-title">Sign in/);
    const [style = ""] = /\/assets\/\w+\/dashboard\.css/.exec(stranger.text) ?? [];
    const css = await server.request(style, { headers: { authorization: "" } });
    assert.equal(css.status, 200);
    assert.match(css.headers.get("cache-control") ?? "", /immutable/);
    const etag = css.headers.get("etag") ?? "";
    assert.equal((await server.request(style, { headers: { "if-none-match": etag } })).status, 304);
    assert.equal((await server.request("/assets/x/..%2f..%2fpackage.json")).status, 404);
  });
});

describe("a survey", () => {
  const run = (over: Partial<Run> = {}): Run => ({
    id: "a",
    status: "running",
    agent: "x@1.0.0",
    inputUri: "x",
    counts: { total: 2, succeeded: 0, failed: 0, inFlight: 1, pending: 1 },
    createdAt: 0,
    ...over,
  });

  test("is shared for a second while the run goes, and made anew when it has ended", async () => {
    let asked = 0;
    let now = 10_000;
    const engine = {
      survey: async (): Promise<RunSurvey> => {
        asked += 1;
        return { failures: [], slowest: [], timeline: { sliceMs: 1000, slices: [] }, workers: [], attempts: asked };
      },
    } as unknown as Engine;
    const surveys = createSurveyCache(engine, () => now);
    const attempts = async (one: Run): Promise<number> => (await surveys.of(one)).attempts;
    assert.equal(await attempts(run()), 1);
    now += 999;
    assert.equal(await attempts(run()), 1);
    now += 1;
    assert.equal(await attempts(run()), 2);
    const ended = run({ status: "succeeded", endedAt: now });
    assert.equal(await attempts(ended), 3);
    now += 1_000_000;
    assert.equal(await attempts(ended), 3);
    assert.equal(await attempts({ ...ended, endedAt: now }), 4);
  });
});
