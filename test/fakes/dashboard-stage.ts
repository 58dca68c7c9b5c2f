import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startSite, type Site } from "../../examples/broadband/site/server.ts";
import { startServer } from "../../src/server/start-server.ts";
import type { AgentDefinition } from "../../src/core/agent.ts";
import type { Engine } from "../../src/core/engine.ts";
import { openEngine, wire } from "../../src/app/wire.ts";

/** A server with its dashboard over a folder of its own, the replica beside it. */
export interface DashboardStage {
  /** Without a slash at the end. */
  readonly url: string;
  /** Address that signs in. */
  readonly entry: string;
  readonly folder: string;
  readonly site: Site;
  /** An engine over the same runs. */
  readonly engine: Engine;
  /** What calls of the agent `postcode-lookup` wait for before they answer. */
  hold: (postcode: string) => Promise<void>;
  write(name: string, content: string): Promise<string>;
  close(): Promise<void>;
}

const home = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Opens the stage. Its registry has the broadband agent in a version 1.0.1 that asks the replica, and `postcode-lookup`, a function
 * agent that fails for postcodes that begin with a Z.
 */
export async function openDashboardStage(): Promise<DashboardStage> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-dashboard-"));
  const site = await startSite({ latencyMs: 60 });
  const write = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  await mkdir(join(folder, "registry", "agents"), { recursive: true });
  const closing = Promise.withResolvers<void>();
  const calls = { hold: async (_postcode: string): Promise<void> => {}, closing: closing.promise };
  Object.assign(globalThis, { dashboardStageCalls: calls });
  await write("lookup.mjs", lookupModule);
  await write("registry/agents/postcode-lookup_v1.0.0.json", JSON.stringify(lookupAgent(join(folder, "lookup.mjs"))));
  await write(
    "registry/agents/broadband-availability-bt-wholesale_v1.0.1.json",
    JSON.stringify(await broadbandAgent(site)),
  );

  const wiring = wire({ env: {}, workingDirectory: folder });
  const server = await startServer({ wiring, host: "127.0.0.1", port: 0 });
  const engine = await openEngine(wiring);
  return {
    url: server.url,
    get entry() {
      return server.address;
    },
    folder,
    site,
    engine,
    get hold() {
      return calls.hold;
    },
    set hold(hold) {
      calls.hold = hold;
    },
    write,
    close: async () => {
      // What still waits would keep the server from ending.
      closing.resolve();
      await server.close();
      await engine.close();
      await site.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const lookupModule = `
export async function lookup({ postcode }) {
  const { hold, closing } = globalThis.dashboardStageCalls;
  await Promise.race([hold(postcode), closing]);
  if (postcode.startsWith("Z")) throw new Error("No area begins with Z: " + postcode);
  return { structured_output: { area: postcode.slice(0, 2), known: true } };
}
`;

function lookupAgent(module: string): object {
  return {
    agent_name: "postcode-lookup",
    version: "1.0.0",
    description: "Tells the area of a postcode.",
    kind: "function",
    config: { module: pathToFileURL(module).href, export: "lookup" },
    input_schema: {
      type: "object",
      properties: {
        postcode: { type: "string", description: "UK postcode" },
        detail: { enum: ["area", "district"], description: "How much to tell" },
      },
      required: ["postcode"],
    },
    structured_output: { enabled: true, output_fields: ["area", "known"] },
    estimate: { seconds_per_row: 0.5, cost_per_row_usd: 0.002 },
  };
}

async function broadbandAgent(site: Site): Promise<AgentDefinition> {
  const file = join(home, "registry/agents/broadband-availability-bt-wholesale_v1.0.0.json");
  const agent = JSON.parse(await readFile(file, "utf8")) as AgentDefinition;
  const variables = { checker_url: `${site.url}/public/` };
  return { ...agent, version: "1.0.1", config: { ...agent.config, variables } };
}
