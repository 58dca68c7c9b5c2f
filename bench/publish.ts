import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Publishes a function agent of these benchmarks: `noop` is the function in `noop-agent.ts`. */
export async function publishFunction(
  registry: string,
  name: "large" | "mixed" | "noop" | "slow" | "waiting",
  outputFields: readonly string[],
): Promise<void> {
  const version = "1.0.0";
  const agent = {
    agent_name: name,
    version,
    kind: "function",
    config: { module: fileURLToPath(new URL(`./${name}-agent.ts`, import.meta.url)) },
    structured_output: { enabled: true, output_fields: outputFields },
  };
  await mkdir(join(registry, "agents"), { recursive: true });
  await writeFile(join(registry, "agents", `${name}_v${version}.json`), JSON.stringify(agent));
}
