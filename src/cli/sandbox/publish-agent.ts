import type { AgentDefinition } from "../../core/agent.ts";
import { RowcallError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { parseReference, type Registry } from "../../core/registry.ts";

/**
 * Publishes an agent and its template from one registry in another, the agent pointed at a replica of its site.
 *
 * @param name - name or alias of a browser agent
 * @returns the agent as it was published
 */
export async function publishAgent(
  from: Registry,
  to: Registry,
  name: string,
  checkerUrl: string,
): Promise<AgentDefinition> {
  const agent = await from.agents.resolve({ name });
  const { template, variables } = agent.config;
  if (typeof template !== "string") {
    throw new RowcallError("AGENT_INVALID", `Agent ${agent.agent_name} names no template`, {
      hint: "The sandbox takes the browser agent that comes with Rowcall.",
    });
  }
  await to.templates.publish(await from.templates.resolve(parseReference(template)));
  const own = isJsonObject(variables) ? variables : {};
  const pointed = { ...agent, config: { ...agent.config, variables: { ...own, checker_url: checkerUrl } } };
  await to.agents.publish(pointed);
  return pointed;
}
