import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { z } from "zod";
import type { AgentDefinition, AgentEnvironment, AgentInput, InvokeContext, Invoker } from "../core/agent.ts";
import { RowcallError, messageOf } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { parseWith, suggest } from "../core/schema.ts";

/**
 * What a function agent's module exports.
 *
 * @param input - the mapped row
 * @param context - `signal`, `row`, `attempt` and `runId`; `artifacts` to keep files and note steps
 * @returns the reply, with `structured_output`
 */
export type AgentFunction = (input: AgentInput, context: InvokeContext) => JsonValue | Promise<JsonValue>;

const configSchema = z.strictObject({
  module: z.string().min(1),
  export: z.string().min(1).default("default"),
});

/**
 * Opens an agent that is a function of a local module: `{ "module": "./lookup.ts", "export": "default" }`.
 *
 * @throws RowcallError AGENT_INVALID when the module or its export is not there, cannot be loaded or is no function
 */
export async function openFunctionAgent(definition: AgentDefinition, environment: AgentEnvironment): Promise<Invoker> {
  const config = parseWith(
    configSchema,
    definition.config,
    "AGENT_INVALID",
    `config of agent ${definition.agent_name}`,
  );
  const call = await loadFunction(config, definition.agent_name, environment.baseDirectory);
  return {
    invoke: async (input, context) => call(input, context),
    close: async () => {},
  };
}

async function loadFunction(
  config: z.output<typeof configSchema>,
  agent: string,
  base: string,
): Promise<AgentFunction> {
  const path = config.module.startsWith("file:") ? fileURLToPath(config.module) : resolve(base, config.module);
  const exports = await importModule(path, agent, base);
  const found = exports[config.export];
  if (typeof found === "function") return found as AgentFunction;
  const names = Object.keys(exports).filter((name) => typeof exports[name] === "function");
  const what =
    found === undefined ? `has no export "${config.export}"` : `exports "${config.export}", which is not a function`;
  throw new RowcallError("AGENT_INVALID", `The module ${path} of agent ${agent} ${what}`, {
    hint: `Correct config.export. ${suggest(config.export, names)}`,
  });
}

async function importModule(path: string, agent: string, base: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    await access(path);
  } catch (cause) {
    throw new RowcallError("AGENT_INVALID", `The module ${path} of agent ${agent} is not there`, {
      hint: `Correct config.module; a relative path starts from ${base}.`,
      cause,
    });
  }
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new RowcallError(
      "AGENT_INVALID",
      `The module ${path} of agent ${agent} cannot be loaded: ${messageOf(cause)}`,
      {
        hint: "Run it by itself with node to see what is wrong.",
        cause,
      },
    );
  }
}
