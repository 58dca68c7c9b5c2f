import { parseTemplate } from "../agents/browser/template/template.ts";
import { checkAgent } from "../agents/open-agent.ts";
import { parseAgent, type AgentDefinition } from "../core/agent.ts";
import { parseTemplateDocument, type TemplateDocument } from "../core/template.ts";

/**
 * Reads an agent file's value and checks all of it that can be checked without opening the agent: its keys, its kind, the settings
 * of its kind and its schemas.
 *
 * @throws RowcallError AGENT_INVALID, AGENT_UNKNOWN
 */
export function validateAgent(value: unknown, what: string): AgentDefinition {
  const agent = parseAgent(value, what);
  checkAgent(agent);
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
