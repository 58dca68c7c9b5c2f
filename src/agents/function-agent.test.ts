import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { aContext, invokerContract } from "../../test/contracts/invoker-contract.ts";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import { calls } from "../../test/fixtures/agent-functions.ts";
import type { Invoker } from "../core/agent.ts";
import { openFunctionAgent } from "./function-agent.ts";

const fixture = new URL("../../test/fixtures/agent-functions.ts", import.meta.url);
const fixtures = fileURLToPath(new URL(".", fixture));

async function open(config: Readonly<Record<string, unknown>>, baseDirectory = fixtures): Promise<Invoker> {
  return openFunctionAgent(agentOf("function", config), anEnvironment({ baseDirectory }));
}

invokerContract("function", async () => {
  const hanging = new Promise<void>((resolve) => calls.once("hanging", resolve));
  const released = new Promise<void>((resolve) => calls.once("released", resolve));
  return {
    invoker: await open({ module: "./agent-functions.ts" }),
    echo: (text) => ({ what: "echo", text }),
    fail: () => ({ what: "fail" }),
    hang: () => ({ what: "hang" }),
    hanging: () => hanging,
    released: () => released,
    close: async () => void calls.removeAllListeners(),
  };
});

test("calls the export with the input, the signal and where in the run it is", async () => {
  const invoker = await open({ module: "./agent-functions.ts", export: "describeCall" });
  assert.deepEqual(await invoker.invoke({ postcode: "E8 4LX" }, aContext({ row: 7, attempt: 2 })), {
    structured_output: { input: { postcode: "E8 4LX" }, aborted: false, row: 7, attempt: 2, runId: "run-1" },
  });
});

test("finds the module by relative path, absolute path and file: URL", async () => {
  for (const module of ["agent-functions.ts", "../fixtures/agent-functions.ts", fileURLToPath(fixture), fixture.href]) {
    await open({ module });
  }
});

test("leaves a reply without structured output as it is", async () => {
  const invoker = await open({ module: "./agent-functions.ts", export: "bare" });
  assert.deepEqual(await invoker.invoke({}, aContext()), { speed: 80 });
});

test("a function that throws before it returns rejects the invocation", async () => {
  const invoker = await open({ module: "./agent-functions.ts", export: "throwAtOnce" });
  await assert.rejects(invoker.invoke({}, aContext()), new TypeError("at once"));
});

test("refuses, when it is opened, a module or an export that is not there", async () => {
  const wrong: readonly (readonly [config: Readonly<Record<string, unknown>>, message: RegExp, hint: RegExp])[] = [
    [{ module: "./none.ts" }, /^The module .*none\.ts of agent tested is not there$/, /relative path starts from /],
    [{ module: "./agent-functions.ts", export: "bear" }, /has no export "bear"$/, /Did you mean "bare"\?/],
    [
      { module: "./agent-functions.ts", export: "version" },
      /exports "version", which is not a function$/,
      /config\.export/,
    ],
  ];
  for (const [config, message, hint] of wrong)
    await assert.rejects(open(config), { code: "AGENT_INVALID", message, hint });
  await assert.rejects(open({}), { code: "AGENT_INVALID", message: /module: missing/ });
  await assert.rejects(open({ module: "./x.ts", exports: "a" }), {
    code: "AGENT_INVALID",
    hint: 'Did you mean "export"?',
  });
});

test("passes on why a module cannot be loaded", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-function-"));
  try {
    await writeFile(join(folder, "broken.mjs"), "export default (;");
    await writeFile(join(folder, "needy.mjs"), 'import "no-such-package";\nexport default () => null;');
    await assert.rejects(open({ module: "broken.mjs" }, folder), {
      code: "AGENT_INVALID",
      message: /broken\.mjs .* cannot be loaded: Unexpected/,
    });
    await assert.rejects(open({ module: "needy.mjs" }, folder), { code: "AGENT_INVALID", message: /no-such-package/ });
  } finally {
    await rm(folder, { recursive: true });
  }
});
