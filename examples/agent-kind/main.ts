import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createOpenAgent } from "../../src/agents/open-agent.ts";
import { loadBatch, openEngine, wire, type Services } from "../../src/index.ts";
import { createPriceServer } from "./server.ts";
import { openSocketAgent } from "./socket-agent.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const [output = "out/"] = process.argv.slice(2);

const server = createPriceServer().listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;

const wiring = wire({ registries: [here("registry")] });
const openOwn = createOpenAgent({ socket: async () => openSocketAgent });
const services: Services = {
  ...wiring.services,
  openAgent: (definition, environment) =>
    (definition.kind === "socket" ? openOwn : wiring.services.openAgent)(definition, environment),
};
const engine = await openEngine({ ...wiring, services });
try {
  const batch = await loadBatch(services, here("batch.json"), { output, agentConfig: { port } });
  const { outputUri } = await engine.start({ batch });
  console.log(outputUri);
} finally {
  await engine.close();
  server.close();
}
