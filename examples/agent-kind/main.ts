import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createRowcall } from "../../src/index.ts";
import { createPriceServer } from "./server.ts";
import { openSocketAgent } from "./socket-agent.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const [output = "out/"] = process.argv.slice(2);

const server = createPriceServer().listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;

const rowcall = await createRowcall({ registries: [here("registry")], agents: { socket: openSocketAgent } });
try {
  const batch = await rowcall.readBatch(here("batch.json"), { output, agentConfig: { port } });
  const { ended } = await rowcall.start({ batch });
  console.log((await ended).outputUri);
} finally {
  await rowcall.close();
  server.close();
}
