import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { contractConcurrency, invokerContract, refusal } from "../../test/contracts/invoker-contract.ts";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import { openSocketAgent } from "./socket-agent.ts";

invokerContract("socket", async () => {
  const hanging = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    createInterface({ input: socket }).once("line", (line) => {
      const { text } = JSON.parse(line) as { readonly text: string };
      if (text === "hang!") {
        socket.once("close", () => released.resolve());
        return hanging.resolve();
      }
      socket.end(JSON.stringify(text === "fail!" ? { error: refusal } : { echo: text }));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const environment = anEnvironment({ concurrency: contractConcurrency });
  return {
    invoker: await openSocketAgent(agentOf("socket", { host: "127.0.0.1", port }), environment),
    echo: (text) => ({ text }),
    fail: () => ({ text: "fail!" }),
    hang: () => ({ text: "hang!" }),
    hanging: () => hanging.promise,
    released: () => released.promise,
    close: async () => void server.close(),
  };
});

test("a mistake in the config names the key", async () => {
  await assert.rejects(openSocketAgent(agentOf("socket", { host: "127.0.0.1", prot: 4020 }), anEnvironment()), {
    code: "AGENT_INVALID",
    message: /prot/,
  });
});
