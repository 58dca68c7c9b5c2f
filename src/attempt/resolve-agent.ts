import type { AgentDefinition, AgentEnvironment, Invoker } from "../core/agent.ts";
import type { Batch } from "../core/batch.ts";
import { RowcallError, type ErrorCode } from "../core/errors.ts";
import { getOwn, isJsonObject, setOwn, type JsonObject, type JsonValue } from "../core/json.ts";
import { parseReference } from "../core/registry.ts";
import { problemsError, suggest, type Problem } from "../core/schema.ts";
import type { Services } from "../core/services.ts";
import type { TemplateDocument } from "../core/template.ts";

/** An agent as a batch uses it. */
export interface BatchAgent {
  /** With the batch's `agentConfig` laid over its own. */
  readonly definition: AgentDefinition;
  /** Fields of structured output that become columns, in order. */
  readonly fields: readonly string[];
}

/**
 * The agent that a batch names, with the batch's settings laid over it.
 *
 * @throws RowcallError AGENT_NOT_FOUND; AGENT_INVALID when it cannot serve batches; FIELD_UNKNOWN when the batch asks for
 * fields that the agent does not declare
 */
export async function resolveAgent(services: Services, batch: Batch): Promise<BatchAgent> {
  const definition = await findAgent(services, batch);
  const problems = agentProblems(definition);
  if (problems.length > 0)
    throw problemsError("AGENT_INVALID", `Agent ${definition.agent_name} cannot serve a batch`, problems);
  const fields = batch.outputMapping.fields ?? definition.structured_output.output_fields;
  const unknown = fieldProblems(definition, fields);
  if (unknown.length > 0)
    throw problemsError("FIELD_UNKNOWN", `Agent ${definition.agent_name} does not declare every output field`, unknown);
  return { definition, fields };
}

/**
 * The agent that a batch names, with the batch's `agentConfig` laid over its own, whether it can serve batches or not.
 *
 * @throws RowcallError AGENT_NOT_FOUND
 */
export async function findAgent(services: Services, batch: Batch): Promise<AgentDefinition> {
  const found = await services.registry.agents.resolve(batch.agent);
  return { ...found, config: overlay(found.config, batch.agentConfig) };
}

/** What keeps an agent from serving batches. */
export function agentProblems({ structured_output, supports_batch_processing }: AgentDefinition): Problem[] {
  const settings = { "structured_output.enabled": structured_output.enabled, supports_batch_processing };
  return Object.entries(settings)
    .filter(([, isOn]) => !isOn)
    .map(([path]) => ({ path, message: "is false", hint: `Set ${path} to true in the agent's registry entry.` }));
}

/** Output fields that an agent does not declare; an agent that declares none is not held to any. */
export function fieldProblems(definition: AgentDefinition, fields: readonly string[]): Problem[] {
  const path = "output_mapping.structured_output_fields";
  const declared = definition.structured_output.output_fields;
  if (fields.length === 0) {
    return [
      {
        path,
        message: "names no field and the agent declares none",
        hint: "List the fields of structured_output that become columns.",
      },
    ];
  }
  if (declared.length === 0) return [];
  return fields
    .filter((field) => !declared.includes(field))
    .map((field) => ({
      path,
      message: `has "${field}", which is not in the agent's output_fields`,
      hint: suggest(field, declared),
    }));
}

/** What opening the batch's agent needs from around it. */
export function agentEnvironment(services: Services, batch: Batch): AgentEnvironment {
  return {
    template: (reference) => services.registry.templates.resolve(parseReference(reference)),
    concurrency: batch.execution.maxConcurrency,
    recording: batch.recording.level,
    stateMachineArn: batch.agentStateMachineArn,
  };
}

function overlay(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue | undefined> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = getOwn(merged, key);
    setOwn(merged, key, isJsonObject(below) && isJsonObject(value) ? overlay(below, value) : value);
  }
  return merged;
}

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
