import { agentKinds } from "../agents/open-agent.ts";
import { parseTemplate } from "../agents/browser/template.ts";
import { parseLambdaConfig } from "../agents/lambda/lambda-config.ts";
import { parseStepFunctionsConfig } from "../agents/stepfunctions/stepfunctions-config.ts";
import { parseAgent, type AgentDefinition } from "../core/agent.ts";
import { RowcallError } from "../core/errors.ts";
import { compileSchema, suggest } from "../core/schema.ts";
import { parseTemplateDocument, type TemplateDocument } from "../core/template.ts";

/** Readers of settings that are whole in the agent file; those of other kinds may wait for the batch's `agent_config`. */
const readConfig: Readonly<Record<string, (agent: AgentDefinition) => unknown>> = {
  lambda: parseLambdaConfig,
  stepfunctions: parseStepFunctionsConfig,
};

/**
 * Reads an agent file's value and checks all of it that can be checked without opening the agent: its keys, its kind, the settings
 * of its kind and its schemas.
 *
 * @throws RowcallError AGENT_INVALID, AGENT_UNKNOWN
 */
export function validateAgent(value: unknown, what: string): AgentDefinition {
  const agent = parseAgent(value, what);
  const name = `agent ${agent.agent_name}`;
  if (!agentKinds.includes(agent.kind)) {
    throw new RowcallError("AGENT_UNKNOWN", `The ${what} has the unknown kind "${agent.kind}"`, {
      hint: suggest(agent.kind, agentKinds),
    });
  }
  readConfig[agent.kind]?.(agent);
  if (agent.input_schema !== undefined) compileSchema(agent.input_schema, `The input_schema of ${name}`);
  const { schema } = agent.structured_output;
  if (schema !== undefined) compileSchema(schema, `The structured_output.schema of ${name}`);
  return agent;
}

/**
 * Reads a template file's value and checks all of it that can be checked without a page.
 *
 * @throws RowcallError TEMPLATE_INVALID
 */
export function validateTemplate(value: unknown, what: string): TemplateDocument {
  const document = parseTemplateDocument(value, what);
  parseTemplate(document, what);
  return document;
}
