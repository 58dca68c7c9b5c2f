import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import type { Attempt } from "../../core/attempt.ts";
import type { RowReport, RunSurvey } from "../../core/engine.ts";
import type { RunView } from "../run-view.ts";
import { parseAgent } from "../../core/agent.ts";
import { actionNotice } from "./run-controls.ts";
import { agentPage } from "./agent-page.ts";
import { agentsPage } from "./agents-page.ts";
import { catalogDiffPage, documentDiff } from "./catalog-parts.ts";
import { renderPage, type Page } from "./frame.ts";
import { mappingPage, uploadPage } from "./new-batch-pages.ts";
import { planPage } from "./plan-page.ts";
import { errorPage, signInPage } from "./problem-pages.ts";
import { rowPage } from "./row-page.ts";
import { rowsHref, rowsPage } from "./rows-page.ts";
import { runPage, type RunPageView } from "./run-page.ts";
import { runsPage } from "./runs-page.ts";
import { sessionsPage } from "./sessions-page.ts";
import { templatePage } from "./template-page.ts";

const hostile = `<script>alert("&'\`")</script><img src=x onerror=alert(1)>`;
const spoken = `\u202E=HYPERLINK("http://evil")`;

const run: RunView = {
  id: "20260304-050607-abcd",
  name: hostile,
  status: "running",
  agent: `${hostile}@1.0.0`,
  inputUri: `/${hostile}.csv`,
  reason: hostile,
  counts: { total: 10, succeeded: 4, failed: 1, inFlight: 2, pending: 3 },
  waiting: { rows: 2, until: 1_772_600_777_000, row: 7, code: "AGENT_FAILED", message: hostile },
  createdAt: 1_772_600_767_000,
  rowsPerSecond: 2.5,
  secondsLeft: 2,
};

const attempt: Attempt = {
  row: 3,
  number: 1,
  startedAt: 1000,
  endedAt: 3500,
  outcome: { status: "failed", code: "AGENT_FAILED", message: hostile, hint: hostile, retryable: false },
  steps: [{ name: hostile, status: "failed", durationMs: 12, detail: hostile }],
  artifacts: [{ name: hostile, uri: "file:///x.png", contentType: "image/png" }],
  worker: hostile,
};

const report: RowReport = {
  row: 3,
  line: 5,
  status: "failed",
  cells: { [hostile]: hostile, formula: spoken },
  input: { field: hostile },
  attempts: [attempt],
};

const survey: RunSurvey = {
  failures: [{ code: "AGENT_FAILED", count: 1, row: 3, message: hostile, hint: hostile }],
  slowest: [{ row: 3, attempts: 1, durationMs: 2500 }],
  timeline: { sliceMs: 1000, slices: [{ at: 1000, succeeded: 4, failed: 1 }] },
  workers: [{ worker: hostile, attempts: 2, lost: 1 }],
  attempts: 5,
};

const agent = parseAgent(
  {
    agent_name: hostile,
    version: "1.0.0",
    kind: "function",
    description: hostile,
    input_schema: {
      type: "object",
      properties: { [hostile]: { type: "string", description: hostile }, pick: { enum: [hostile, "b"] } },
      required: [hostile],
    },
    structured_output: { enabled: true, output_fields: [hostile] },
  },
  "agent",
);

const template = {
  template_id: hostile,
  version: "1.0.0",
  status: "active",
  description: hostile,
  variables: { [hostile]: { description: hostile, default: hostile } },
  steps: [
    { action: "fill", name: hostile, locator: [{ label: hostile }], value: hostile },
    { action: "if", condition: { value: "x", equals: hostile }, then: [{ action: hostile, prompt: hostile }] },
  ],
} as const;

const plan = {
  runnable: true,
  agent: hostile,
  checks: [{ id: "table", title: "Table", status: "warning", detail: hostile, hint: hostile }],
  rows: 10,
  inputBytes: { largest: 12, total: 12 },
  outputColumns: [],
  sample: [{ row: 0, line: 2, input: { a: hostile } }],
  invalid: { count: 9, first: [{ row: 1, line: 3, code: "ROW_INVALID", message: hostile, hint: hostile }] },
  duplicates: { count: 1, first: [{ row: 2, line: 4, sameAs: 0 }], isComplete: true },
  estimate: { rows: 9, concurrency: 10, seconds: 20, basis: hostile },
} as const;

const versions = [{ version: "1.0.0", status: "active" }] as const;
const notice = { tone: "bad", text: hostile, hint: hostile } as const;
const tried = {
  id: hostile,
  agent: hostile,
  row: 3,
  line: 5,
  cells: {},
  input: { a: hostile },
  attempt,
  reply: hostile,
  enriched: [],
} as const;

const runView = (over: Partial<RunView> = {}): RunPageView => ({
  run: { ...run, ...over },
  limits: { maxConcurrency: 10 },
  survey,
});

const rowsView = {
  run,
  query: { text: hostile, order: "row", descending: false },
  outputFields: [hostile],
  rows: [report],
  codes: ["AGENT_FAILED"],
} as const;

const pages: Readonly<Record<string, Page>> = {
  runs: runsPage({ runs: [run], search: hostile }),
  "no run found": runsPage({ runs: [], search: hostile }),
  run: runPage(runView()),
  rows: rowsPage(rowsView),
  row: rowPage({ run, report, tried }),
  agents: agentsPage({ agents: [agent], templates: [template] }),
  agent: { ...agentPage({ document: agent, versions, draft: hostile }), notice },
  template: templatePage({ document: template, versions, draft: hostile }),
  difference: catalogDiffPage("agents", hostile, agent, { ...agent, version: "1.0.1" }),
  "new batch": uploadPage({ agents: [hostile], agent: hostile, input: hostile }),
  mapping: mappingPage({
    input: hostile,
    fileName: hostile,
    agent,
    head: { header: [hostile], rows: [[hostile]] },
    mapping: new Map([[hostile, hostile]]),
    maxConcurrency: hostile,
    retries: hostile,
    name: hostile,
  }),
  plan: planPage({ plan, fileName: hostile, choices: hostile }),
  error: errorPage({ code: "USAGE_INVALID", message: hostile, hint: hostile }, 400, [hostile]),
  "sign in": signInPage(),
  sessions: sessionsPage({
    sessions: [{ id: "ab12cd34", begunAt: 1000, usedAt: 2000, expiresAt: 3000, from: hostile, browser: hostile }],
    own: hostile,
  }),
};

const render = async (page: Page): Promise<string> =>
  String(await renderPage({ asset: (name) => `/assets/v/${name}`, isSignedIn: true, hasSession: true }, page));

describe("what users and cells bring", () => {
  for (const [name, page] of Object.entries(pages)) {
    test(`is text on the page "${name}"`, async () => {
      const html = await render(page);
      assert.doesNotMatch(html, /<script>|<img src=x|"'`\)/);
      assert.doesNotMatch(html, /\sstyle=|\son\w+=["']/, "the content security policy allows neither");
      assert.equal(html.match(/<h1/g)?.length, 1);
    });
  }

  test("is text in a difference", async () => {
    assert.doesNotMatch(String(await documentDiff({ a: hostile }, { a: `${hostile}!` })), /<script>|<img/);
  });

  test("keeps its own direction in a cell", async () => {
    assert.match(await render(rowsPage(rowsView)), /dir="auto"[^>]*>\u202E=HYPERLINK\(&quot;/);
  });

  test("is cut when it is long, in tables only", async () => {
    const long = "x".repeat(100_000);
    const row = { ...report, cells: { [hostile]: long } };
    assert.ok((await render(rowsPage({ ...rowsView, rows: [row] }))).length < 20_000);
    assert.ok((await render(rowPage({ run, report: row }))).includes(long));
  });
});

test("the styles name no class that no page has", async () => {
  const folder = new URL(".", import.meta.url);
  const names = (await readdir(folder, { recursive: true })).filter((name) => /(?<!\.test)\.(?:ts|js)$/.test(name));
  const code = (await Promise.all(names.map((name) => readFile(new URL(name, folder), "utf8")))).join("\n");
  const styles = await readFile(new URL("assets/dashboard.css", folder), "utf8");
  const classes = new Set([...styles.matchAll(/\.([a-z][\w-]*)(?=[^{};]*\{)/g)].map(([, name]) => name ?? ""));
  assert.notEqual(classes.size, 0);
  assert.deepEqual(
    [...classes].filter((name) => !new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(code)),
    [],
  );
});

describe("a run's page", () => {
  const controls = async (over: Partial<RunView>): Promise<string[]> =>
    [...(await render(runPage(runView(over)))).matchAll(/action="\/runs\/[\w-]+\/(\w+)"/g)].map(
      ([, action]) => action ?? "",
    );

  test("offers what can be done as the run stands", async () => {
    assert.deepEqual(await controls({}), ["pause", "stop", "concurrency", "rerun"]);
    assert.deepEqual(await controls({ paused: true }), ["resume", "stop", "concurrency", "rerun"]);
    assert.deepEqual(await controls({ status: "interrupted" }), ["resume", "rerun", "concurrency", "rerun"]);
    assert.deepEqual(await controls({ status: "succeeded" }), ["rerun", "rerun"]);
  });

  test("does not let rows be rerun while the run is going", async () => {
    assert.match(await render(runPage(runView())), /<button class="small" disabled>/);
    assert.doesNotMatch(await render(runPage(runView({ status: "succeeded" }))), /<button class="small" disabled>/);
  });

  test("links failures to their rows", async () => {
    assert.match(await render(runPage(runView())), /rows\?status=failed&code=AGENT_FAILED"/);
  });

  test("says what became of the run, not what was asked", () => {
    const limits = { maxConcurrency: 3 };
    assert.match(
      actionNotice("pause", { ...run, paused: true }, limits).text,
      /^Paused\. 2 rows in flight finish; 3 rows wait/,
    );
    assert.equal(actionNotice("pause", run, limits).tone, "bad");
    assert.match(actionNotice("pause", { ...run, status: "succeeded" }, limits).text, /no longer running/);
    assert.match(actionNotice("stop", run, limits).text, /^Stopping/);
    assert.match(actionNotice("stop", { ...run, status: "stopped" }, limits).text, /3 rows not final/);
    assert.match(actionNotice("concurrency", run, limits).text, /^At most 3 rows at once/);
    assert.match(actionNotice("rerun", run, limits).text, /^Attempting 5 rows again/);
  });
});

describe("a table of rows", () => {
  test("keeps its filters when it is sorted or turned", () => {
    const query = { status: "failed", code: "TIMEOUT", text: "a b", order: "duration", descending: true } as const;
    assert.equal(
      rowsHref("r", query, "12.3"),
      "/runs/r/rows?status=failed&code=TIMEOUT&text=a+b&order=duration&descending=true&after=12.3",
    );
    assert.equal(rowsHref("r", { order: "row", descending: false }), "/runs/r/rows");
  });

  test("says honestly that nothing matches", async () => {
    assert.match(await render(rowsPage({ ...rowsView, rows: [] })), /No rows match/);
  });

  test("a row that waits for its next attempt has until when and why, on every page that shows it", async () => {
    const time = `<time datetime="2026-03-04T05:06:17.000Z">2026-03-04 05:06:17 UTC</time>`;
    const waiting: RowReport = { ...report, status: "pending", waitingUntil: 1_772_600_777_000 };
    const why = `after <span class="mono">AGENT_FAILED</span>`;
    const page = (await render(runPage(runView()))).replace(/\s+/g, " ");
    assert.ok(
      page.includes(
        `2 rows waiting for another attempt, <a href="/runs/${run.id}/rows/7">row 7</a> until ${time} ${why}`,
      ),
    );
    assert.ok((await render(rowsPage({ ...rowsView, rows: [waiting] }))).includes(`waiting until ${time} ${why}`));
    assert.ok((await render(rowPage({ run, report: waiting }))).includes(`Waiting for attempt 2 until ${time}.`));
  });
});
