import type { AgentDefinition } from "../core/agent.ts";
import { RowcallError } from "../core/errors.ts";
import { compileSchema, suggest } from "../core/schema.ts";
import { parseBrowserConfig } from "./browser/browser-config.ts";
import { parseFunctionConfig } from "./function-agent.ts";
import { parseHttpConfig } from "./http/http-config.ts";
import { parseLambdaConfig } from "./lambda/lambda-config.ts";
import { parseStepFunctionsConfig } from "./stepfunctions/stepfunctions-config.ts";

/** Readers of the settings of each kind. */
const readConfig: Readonly<Record<string, (agent: AgentDefinition) => unknown>> = {
  browser: parseBrowserConfig,
  function: parseFunctionConfig,
  http: parseHttpConfig,
  lambda: parseLambdaConfig,
  stepfunctions: parseStepFunctionsConfig,
};

/** The kinds there are. */
const agentKinds: readonly string[] = Object.keys(readConfig);

/**
 * Checks all of an agent that can be checked without opening it: its kind, the settings of its kind and its schemas. Opening an
 * agent checks the same first, so that what a file's validation lets pass no plan or run finds wrong.
 *
 * @param others - kinds that there are besides, for the message
 * @throws RowcallError AGENT_UNKNOWN, AGENT_INVALID
 */
export function checkAgent(agent: AgentDefinition, others: readonly string[] = []): void {
  const { kind, agent_name: name, input_schema, structured_output } = agent;
  const read = Object.hasOwn(readConfig, kind) ? readConfig[kind] : undefined;
  if (read === undefined) throw unknownKind(kind, [...agentKinds, ...others]);
  read(agent);
  if (input_schema !== undefined) compileSchema(input_schema, `The input_schema of agent ${name}`);
  const { schema } = structured_output;
  if (schema !== undefined) compileSchema(schema, `The structured_output.schema of agent ${name}`);
}

/** What to say of a kind that there is not. */
export function unknownKind(kind: string, known: readonly string[]): RowcallError {
  return new RowcallError("AGENT_UNKNOWN", `Unknown agent kind "${kind}". Use one of: ${known.join(", ")}.`, {
    hint: suggest(kind, known),
    details: { known },
  });
}
