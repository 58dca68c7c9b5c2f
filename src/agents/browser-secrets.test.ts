import assert from "node:assert/strict";
import { test } from "node:test";
import { unzipSync } from "fflate";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import { startService, type TestService } from "../../test/fakes/echo-service.ts";
import type { AgentInput, RecordingLevel } from "../core/agent.ts";
import type { Attempt } from "../core/attempt.ts";
import type { RowcallError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { parseTemplateDocument } from "../core/template.ts";
import { createExtractor } from "../attempt/extract.ts";
import { runAttempt } from "../attempt/run-attempt.ts";
import { openAgent } from "./open-agent.ts";

const token = 'tok"en/+ & <b>17';
const password = "hunter22 of a row";

const form = `<!doctype html><title>Log in</title><form method="post" action="/in">
  <label>Token <input name="token"></label><label>Password <input name="password" type="password"></label>
  <button>Log in</button></form>`;

/** Repeats what it was sent, as careless sites do. */
function startSite(): Promise<TestService> {
  return startService(({ path, body }, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    if (path !== "/in") return void response.end(form);
    const sent = new URLSearchParams(body);
    const shown = (sent.get("token") ?? "").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    response.end(
      `<!doctype html><title>In</title><h1>Welcome ${shown}</h1><!-- ${body} --><p>${sent.get("password")}</p>`,
    );
  });
}

const logIn: readonly JsonObject[] = [
  { action: "fill", locator: { label: "Token" }, value: "{{secret.TOKEN}}" },
  { action: "fill", locator: { label: "Password" }, value: "{{pass}}" },
  {
    action: "extract",
    fields: { style: { locator: { label: "Token" }, attribute: "style" }, typed: { locator: { label: "Password" } } },
  },
  { action: "click", locator: { role: "button", name: "Log in" } },
  { action: "extract", fields: { welcome: { locator: { css: "h1" } } } },
];

interface Kept {
  readonly attempt: Attempt;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

async function run(steps: readonly JsonObject[], recording: RecordingLevel, input: AgentInput): Promise<Kept> {
  await using started = new AsyncDisposableStack();
  const site = await startSite();
  started.defer(() => site.close());
  const definition = agentOf("browser", { template: "login@1.0.0", secrets: ["TOKEN"] });
  const document = {
    template_id: "login",
    version: "1.0.0",
    starting_page: `${site.origin}/`,
    session: { timeout_seconds: 20 },
    steps,
  };
  const invoker = await openAgent(
    definition,
    anEnvironment({
      recording,
      secret: (name) => (name === "TOKEN" ? token : undefined),
      template: async (reference) => parseTemplateDocument(document, `template ${reference}`),
    }),
  );
  started.defer(() => invoker.close());
  const files = new Map<string, Uint8Array>();
  const setup = {
    invoker,
    extract: createExtractor(definition),
    runId: "run-1",
    timeoutMs: 120_000,
    clock: Date.now,
    monotonic: () => performance.now(),
    saveArtifact: async (_row: number, _attempt: number, name: string, content: Uint8Array) => {
      files.set(name, content);
      return `memory:${name}`;
    },
  };
  assert.doesNotMatch(JSON.stringify(invoker.preview?.(input)), /tok/);
  return { attempt: await runAttempt(setup, input, 0, 1), files };
}

function assertNone(text: string, secret: string, where: string): void {
  const inForm = new URLSearchParams({ s: secret }).toString().slice(2);
  const inJson = JSON.stringify(secret).slice(1, -1);
  for (const each of [secret, inForm, encodeURIComponent(secret), inJson, JSON.stringify(inJson).slice(1, -1)]) {
    const at = text.indexOf(each);
    assert.equal(at, -1, `${where}: …${text.slice(Math.max(0, at - 60), at + 60)}…`);
  }
}

test("types a secret, and shows it in no step, answer, picture or trace; nor what was typed as a password", async () => {
  const { attempt, files } = await run(logIn, "trace", { pass: password });
  const { outcome } = attempt;
  assert.equal(outcome.status, "succeeded", JSON.stringify(outcome));
  assert.deepEqual(outcome.status === "succeeded" && outcome.output, {
    style: "-webkit-text-security: disc !important;",
    typed: "***",
    welcome: "Welcome ***",
  });
  const told = JSON.stringify(attempt);
  for (const secret of [token, password]) assertNone(told, secret, "attempt");
  const trace = files.get("trace.zip");
  assert.ok(trace !== undefined, [...files.keys()].join());
  const entries = Object.entries(unzipSync(trace));
  assert.ok(entries.some(([name]) => name.endsWith(".trace")));
  const texts = entries.map(([name, content]) => [name, Buffer.from(content).toString("utf8")] as const);
  assert.ok(texts.some(([, text]) => text.includes("***")));
  for (const [name, text] of texts) for (const secret of [token, password]) assertNone(text, secret, name);
});

test("tells of a step that failed without the secret that the page shows", async () => {
  const steps = [
    ...logIn,
    { action: "extract", timeout_seconds: 0.1, fields: { none: { locator: { css: "#none" } } } },
  ];
  const { attempt } = await run(steps, "none", { pass: password });
  assert.equal(attempt.outcome.status, "failed");
  assert.match(attempt.outcome.status === "failed" ? attempt.outcome.message : "", /shows "Welcome \*\*\* \*\*\*"/);
  for (const secret of [token, password]) assertNone(JSON.stringify(attempt), secret, "attempt");
});

test("refuses a template that does anything but type a secret, and one that its agent does not have", async () => {
  const wrong: readonly (readonly [step: JsonObject, path: string])[] = [
    [{ action: "goto", url: "/?key={{secret.TOKEN}}" }, "steps.0"],
    [{ action: "fill", locator: { label: "{{secret.TOKEN}}" }, value: "a" }, "steps.0"],
    [{ action: "set", fields: { copy: { value: "{{secret.TOKEN}}" } } }, "steps.0"],
    [{ action: "fail", message: "no {{secret.TOKEN}}" }, "steps.0"],
    [{ action: "repeat", times: 1, steps: [{ action: "goto", url: "{{secret.TOKEN}}" }] }, "steps.0.0"],
  ];
  for (const [step, path] of wrong) {
    await assert.rejects(run([step], "none", {}), (error: RowcallError) => {
      assert.equal(error.code, "TEMPLATE_INVALID");
      const problems = error.details["problems"] as readonly { readonly path: string; readonly message: string }[];
      assert.deepEqual(
        problems.map((problem) => problem.path),
        [path],
      );
      assert.match(problems[0]?.message ?? "", /a secret can only be typed/);
      return true;
    });
  }
  await assert.rejects(run([{ action: "fill", locator: { label: "Token" }, value: "{{secret.OTHER}}" }], "none", {}), {
    code: "AGENT_INVALID",
    message: /uses \{\{secret\.OTHER\}\}, which is not in the agent's secrets/,
    hint: /"secrets": \["TOKEN", "OTHER"\]/,
  });
});
