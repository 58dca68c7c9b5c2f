import type { AgentDefinition } from "../../core/agent.ts";
import { parseReference, type Registry } from "../../core/registry.ts";

/** An agent by reference; undefined when the registry does not have it any more, for a run outlives its agent. */
export async function agentOf(
  { registry }: { readonly registry: Registry },
  reference: string,
): Promise<AgentDefinition | undefined> {
  return registry.agents.resolve(parseReference(reference)).catch(() => undefined);
}
