import type { AgentDefinition, Invoker } from "../core/agent.ts";
import type { Batch } from "../core/batch.ts";
import { RowcallError, type ErrorCode } from "../core/errors.ts";
import type { Services } from "../core/services.ts";
import type { TemplateDocument } from "../core/template.ts";
import { agentEnvironment } from "./resolve-agent.ts";

/** What a look at an agent shows. */
export interface AgentLook {
  /** Every template it asked for, by the reference it used. */
  readonly templates: Readonly<Record<string, TemplateDocument>>;
  /** The agent, closed again: what it can tell of an input it still tells. */
  readonly invoker?: Invoker;
}

// What a machine may lack that does not run the agent itself.
const lackingHere: readonly ErrorCode[] = [
  "CHROMIUM_NOT_FOUND",
  "SANDBOX_MISSING",
  "DEPENDENCY_MISSING",
  "SECRET_MISSING",
];

/**
 * Opens an agent and closes it again, so that what is wrong with it is found before a row is spent on it elsewhere. What only
 * those need who run it, such as a browser or a secret, may lack.
 *
 * @throws RowcallError as the agent's kind does
 */
export async function lookAtAgent(services: Services, agent: AgentDefinition, batch: Batch): Promise<AgentLook> {
  const templates: Record<string, TemplateDocument> = {};
  const environment = agentEnvironment(services, batch);
  try {
    const invoker = await services.openAgent(agent, {
      ...environment,
      concurrency: 1,
      recording: "none",
      template: async (reference) => (templates[reference] = await environment.template(reference)),
    });
    await invoker.close();
    return { templates, invoker };
  } catch (thrown) {
    if (thrown instanceof RowcallError && lackingHere.includes(thrown.code)) return { templates };
    throw thrown;
  }
}
