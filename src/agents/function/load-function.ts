import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { AgentInput, InvokeContext } from "../../core/agent.ts";
import { RowcallError, messageOf } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import { suggest } from "../../core/schema.ts";

/**
 * The function that a function agent's module exports.
 *
 * @param input - the mapped row
 * @param context - `signal`, `row`, `attempt` and `runId`; `artifacts` to keep files and note steps
 * @returns the reply, with `structured_output`
 */
export type AgentFunction = (input: AgentInput, context: InvokeContext) => JsonValue | Promise<JsonValue>;

/** The address of a function. */
export interface FunctionAddress {
  /** Path or `file:` URL. */
  readonly module: string;
  readonly export: string;
  /** Name of the agent, for messages. */
  readonly agent: string;
  /** Folder that a relative path starts from. */
  readonly base: string;
}

/**
 * Loads a function from a local module.
 *
 * @throws RowcallError AGENT_INVALID when the module or its export is not there, cannot be loaded or is no function
 */
export async function loadFunction(address: FunctionAddress): Promise<AgentFunction> {
  const { module, base, agent } = address;
  const path = module.startsWith("file:") ? fileURLToPath(module) : resolve(base, module);
  const exports = await importModule(path, agent, base);
  const found = exports[address.export];
  if (typeof found === "function") return found as AgentFunction;
  const names = Object.keys(exports).filter((name) => typeof exports[name] === "function");
  const what =
    found === undefined ? `has no export "${address.export}"` : `exports "${address.export}", which is not a function`;
  throw new RowcallError("AGENT_INVALID", `The module ${path} of agent ${agent} ${what}`, {
    hint: `Correct config.export. ${suggest(address.export, names)}`,
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
    const message = `The module ${path} of agent ${agent} cannot be loaded: ${messageOf(cause)}`;
    const hint = "Run it by itself with node to see what is wrong.";
    throw new RowcallError("AGENT_INVALID", message, { hint, cause });
  }
}
