import type { AgentDefinition } from "../../core/agent.ts";
import type { Batch } from "../../core/batch.ts";
import { RowcallError, messageOf } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { TriedView } from "../pages/row-page.ts";
import { readSchemaForm } from "../pages/schema-form.ts";
import type { Dashboard } from "./dashboard.ts";

/**
 * The input that a try's form stands for.
 *
 * @throws RowcallError USAGE_INVALID when it was to be JSON and is not
 */
export function readInput(schema: JsonObject | undefined, form: URLSearchParams): JsonObject {
  const json = form.get("json");
  if (json === null) return readSchemaForm(schema, form);
  const value = parse(json);
  if (isJsonObject(value)) return value;
  throw new RowcallError("USAGE_INVALID", "The input is no JSON object", { hint: 'Write it as {"field": "value"}.' });
}

/**
 * Calls the agent of a batch once with an input as it is.
 *
 * @throws RowcallError for anything wrong with batch or agent
 */
export async function tryInput(dashboard: Dashboard, batch: Batch, input: JsonObject): Promise<TriedView> {
  const { attempt, reply } = await dashboard.workbench.tryRow(batch, { input });
  return {
    input,
    attempt,
    ...(reply === undefined ? {} : { reply }),
    artifactHref: dashboard.tries.keep(attempt.artifacts),
  };
}

/** A batch that calls an agent by itself. */
export function agentBatch({ workbench }: Dashboard, { agent_name: name, version }: AgentDefinition): Promise<Batch> {
  return workbench.readBatch({ agent: `${name}@${version}` }, []);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new RowcallError("USAGE_INVALID", `The input is not JSON: ${messageOf(cause)}`, {
      hint: 'Write it as {"field": "value"}.',
      cause,
    });
  }
}
