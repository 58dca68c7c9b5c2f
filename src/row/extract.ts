import type { AgentDefinition } from "../core/agent.ts";
import type { Outcome } from "../core/attempt.ts";
import { errorKind, type ErrorCode } from "../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import { compileSchema, formatProblems } from "../core/schema.ts";

/** Finds the answer in an agent's reply. */
export type ExtractOutput = (reply: JsonValue) => Outcome;

/**
 * Prepares the extraction of an agent's answers: `structured_output` itself, inside a Step Functions `Output` (an object or
 * JSON text), or inside a tool result's `content`, in this order; then the agent's output schema.
 *
 * @throws RowcallError AGENT_INVALID for a wrong output schema
 */
export function createExtractor(agent: Pick<AgentDefinition, "agent_name" | "structured_output">): ExtractOutput {
  const { schema } = agent.structured_output;
  const validate = schema && compileSchema(schema, `The structured_output.schema of agent ${agent.agent_name}`);
  return (reply) => {
    const output = findStructuredOutput(reply);
    if (output === undefined) {
      return failed(
        "OUTPUT_MISSING",
        "Agent did not return structured output",
        "Run `rowcall try` on this row to see what the agent replied.",
      );
    }
    const problems = validate?.(output) ?? [];
    if (problems.length === 0) return { status: "succeeded", output };
    return failed(
      "OUTPUT_INVALID",
      `Agent output does not fit its schema: ${formatProblems(problems)}`,
      "Correct the agent or its structured_output.schema.",
    );
  };
}

function findStructuredOutput(reply: JsonValue): JsonObject | undefined {
  if (!isJsonObject(reply)) return undefined;
  const places = [reply, unwrap(reply["Output"]), reply["content"]];
  const holder = places.find((place) => isJsonObject(place) && place["structured_output"] != null);
  const output = isJsonObject(holder) ? holder["structured_output"] : undefined;
  return isJsonObject(output) ? output : undefined;
}

function unwrap(wrapped: JsonValue | undefined): JsonValue | undefined {
  if (typeof wrapped !== "string") return wrapped;
  try {
    return JSON.parse(wrapped) as JsonValue;
  } catch {
    return undefined;
  }
}

function failed(code: ErrorCode, message: string, hint: string): Outcome {
  return { status: "failed", code, message, hint, retryable: errorKind(code).retryable };
}
