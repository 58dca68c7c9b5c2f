import assert from "node:assert/strict";
import { test } from "node:test";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import { createOpenAgent, openAgent } from "./open-agent.ts";

test("opens an agent by its kind", async () => {
  const invoker = await openAgent(agentOf("http", { url: "http://127.0.0.1:9/{{id}}" }), anEnvironment());
  assert.equal(invoker.targetHost?.({ id: 1 }), "127.0.0.1:9");
  await invoker.close();
});

test("names the kinds there are when one is unknown", async () => {
  await assert.rejects(openAgent(agentOf("htp", {}), anEnvironment()), {
    code: "AGENT_UNKNOWN",
    message: 'Unknown agent kind "htp". Use one of: browser, function, http, lambda, stepfunctions.',
    hint: 'Did you mean "http"?',
  });
  await assert.rejects(openAgent(agentOf("constructor", {}), anEnvironment()), { code: "AGENT_UNKNOWN" });
});

test("says how to install a package that a kind needs", async () => {
  const name: string = "no-such-package";
  const open = createOpenAgent({ heavy: { load: async () => (await import(name)) as never } });
  await assert.rejects(open(agentOf("heavy", {}), anEnvironment()), {
    code: "DEPENDENCY_MISSING",
    message: 'Agents of kind "heavy" need the package no-such-package, which is not installed',
    hint: "Install it: npm install no-such-package",
  });
});

test("passes on what opening throws, as it is", async () => {
  const failure = new TypeError("odd");
  const open = createOpenAgent({ odd: { load: async () => () => Promise.reject(failure) } });
  await assert.rejects(open(agentOf("odd", {}), anEnvironment()), (error) => error === failure);
});

test("does not wait for ever for an agent that does not close", async (t) => {
  const open = createOpenAgent({
    stuck: { load: async () => async () => ({ invoke: async () => null, close: () => new Promise(() => {}) }) },
    broken: {
      load: async () => async () => ({ invoke: async () => null, close: () => Promise.reject(new Error("no")) }),
    },
  });
  const stuck = await open(agentOf("stuck", {}), anEnvironment());
  t.mock.timers.enable({ apis: ["setInterval"] });
  const closed = stuck.close();
  for (let second = 0; second < 30; second += 1) t.mock.timers.tick(1000);
  await closed;
  await assert.rejects((await open(agentOf("broken", {}), anEnvironment())).close(), /no/);
});
