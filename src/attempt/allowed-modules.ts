import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentDefinition } from "../core/agent.ts";
import { RowcallError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import type { Problem } from "../core/schema.ts";
import type { Services } from "../core/services.ts";

type Deciding = Pick<Services, "allowedModules" | "baseDirectory">;

/** Settings that say which code of this machine is run, and where: only who runs Rowcall gives them. */
const ofOperator = ["module", "export", "isolation", "memory_mb"] as const;

const hint =
  "Code is chosen by who runs Rowcall: have it started with --allow-module PATH, or put the agent with its module into its registry.";

/**
 * What of a batch's `agent_config` chooses code that who asks may not choose.
 *
 * @param value - of a batch file, its paths made absolute
 */
export function moduleProblems(services: Deciding, value: unknown): readonly Problem[] {
  const config = isJsonObject(value) ? value["agent_config"] : undefined;
  if (services.allowedModules === undefined || !isJsonObject(config)) return [];
  if (isAllowed(services, config["module"])) return [];
  const given = ofOperator.find((name) => config[name] !== undefined);
  if (given === undefined) return [];
  const message = `cannot be set here: it is ${JSON.stringify(config[given])}`;
  return [{ path: `agent_config.${given}`, message, hint }];
}

/**
 * Lets pass an agent that runs no code of this machine, or code that is allowed: by `allowedModules`, or because an agent of this
 * machine's own registry runs it.
 *
 * @throws RowcallError AGENT_INVALID
 */
export async function requireAllowedModule(
  services: Pick<Services, "allowedModules" | "baseDirectory" | "registry">,
  { agent_name: name, kind, config }: AgentDefinition,
): Promise<void> {
  if (kind !== "function" || services.allowedModules === undefined || isAllowed(services, config["module"])) return;
  const own = await services.registry.agents.list();
  const asked = codeOf(services, config);
  const isOwn = own.some((agent) => agent.kind === "function" && isSameCode(codeOf(services, agent.config), asked));
  if (isOwn) return;
  const module = JSON.stringify(config["module"] ?? null);
  throw new RowcallError("AGENT_INVALID", `Agent ${name} runs a module that is not allowed here: ${module}`, { hint });
}

function isAllowed({ allowedModules = [], baseDirectory }: Deciding, module: JsonValue | undefined): boolean {
  const path = pathOf(module, baseDirectory);
  return path !== undefined && allowedModules.some((allowed) => resolve(baseDirectory, allowed) === path);
}

interface Code {
  readonly path: string | undefined;
  readonly settings: readonly JsonValue[];
}

function codeOf({ baseDirectory }: Deciding, config: JsonObject): Code {
  const { module, export: name = "default", isolation = "none", memory_mb = null } = config;
  return { path: pathOf(module, baseDirectory), settings: [name, isolation, memory_mb] };
}

function isSameCode(one: Code, other: Code): boolean {
  return (
    one.path !== undefined && one.path === other.path && JSON.stringify(one.settings) === JSON.stringify(other.settings)
  );
}

function pathOf(module: JsonValue | undefined, baseDirectory: string): string | undefined {
  if (typeof module !== "string" || module === "") return undefined;
  try {
    return module.startsWith("file:") ? fileURLToPath(module) : resolve(baseDirectory, module);
  } catch {
    return undefined;
  }
}
