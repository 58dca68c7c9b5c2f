import { z } from "zod";
import type { AgentDefinition, Invoker } from "../core/agent.ts";
import type { HostedEnvironment } from "./agent-host.ts";
import { secretsSchema } from "../core/secrets.ts";
import { loadFunction } from "./function/load-function.ts";
import { parseConfig } from "./parse-config.ts";

export type { AgentFunction } from "./function/load-function.ts";

const configSchema = z
  .strictObject({
    module: z.string().min(1),
    export: z.string().min(1).default("default"),
    isolation: z.enum(["none", "process"]).default("none"),
    memory_mb: z.int().min(16).optional(),
    secrets: secretsSchema,
  })
  .refine(({ isolation, memory_mb }) => isolation === "process" || memory_mb === undefined, {
    path: ["memory_mb"],
    error: 'limits processes of the agent\'s own: add "isolation": "process"',
  });

/** Settings of the kind `function`. */
export type FunctionConfig = z.infer<typeof configSchema>;

/**
 * Reads a function agent's config.
 *
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseFunctionConfig(agent: AgentDefinition): FunctionConfig {
  return parseConfig(configSchema, agent);
}

/**
 * Opens an agent that is a function of a local module: `{ "module": "./lookup.ts", "export": "default" }`. With
 * `"isolation": "process"` it is called in processes of its own.
 *
 * @throws RowcallError AGENT_INVALID when the module or its export is not there, cannot be loaded or is no function
 */
export async function openFunctionAgent(definition: AgentDefinition, environment: HostedEnvironment): Promise<Invoker> {
  const { isolation, memory_mb, module, export: name } = parseFunctionConfig(definition);
  const address = { module, export: name, agent: definition.agent_name, base: environment.baseDirectory };
  if (isolation === "process") {
    const { openChildPool } = await import("./function/child-pool.ts");
    return openChildPool({ address, size: environment.concurrency, memoryMb: memory_mb });
  }
  const call = await loadFunction(address);
  return { invoke: async (input, context) => call(input, context), close: async () => {} };
}
