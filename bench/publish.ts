import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Puts an agent file into a registry folder of a benchmark. */
export async function publishFiles(
  registry: string,
  agent: { readonly agent_name: string; readonly version: string; readonly [key: string]: unknown },
): Promise<void> {
  await mkdir(join(registry, "agents"), { recursive: true });
  await writeFile(join(registry, "agents", `${agent.agent_name}_v${agent.version}.json`), JSON.stringify(agent));
}
