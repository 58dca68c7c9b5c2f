import { admit, type Admitted } from "../core/admit.ts";
import type { AgentDefinition } from "../core/agent.ts";
import { failedOutcome, type Outcome } from "../core/attempt.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import { isJsonObject, parseJson, replaceDigits } from "../core/json.ts";
import { compileSchema, formatProblems } from "../core/schema.ts";

/** Finds the answer in an agent's reply, which may be anything; it never throws. */
export type ExtractOutput = (reply: unknown) => Outcome;

/**
 * Prepares the extraction of an agent's answers: `structured_output` itself, inside a Step Functions `Output` (an object or
 * JSON text), or inside a tool result's `content`, in this order; admitted as plain JSON; then the agent's output schema.
 *
 * @throws RowcallError AGENT_INVALID for a wrong output schema
 */
export function createExtractor(agent: Pick<AgentDefinition, "agent_name" | "structured_output">): ExtractOutput {
  const { schema } = agent.structured_output;
  const validate = schema && compileSchema(schema, `The structured_output.schema of agent ${agent.agent_name}`);
  return (reply) => {
    let admitted: Admitted;
    try {
      const found = findStructuredOutput(reply);
      if (found === undefined) {
        return failedOutcome("OUTPUT_MISSING", "Agent did not return structured output", {
          hint: "Run `rowcall try` on this row to see what the agent replied.",
        });
      }
      admitted = admit(found, "structured_output");
    } catch (thrown) {
      return unreadable(thrown);
    }
    const { value: output, hasDigits } = admitted;
    if (!isJsonObject(output)) {
      return failedOutcome("OUTPUT_INVALID", "structured_output is not an object", {
        hint: "structured_output is an object: one field a column. Correct the agent's output.",
      });
    }
    const problems = validate?.(hasDigits ? replaceDigits(output, Number) : output) ?? [];
    if (problems.length === 0) return { status: "succeeded", output };
    return failedOutcome("OUTPUT_INVALID", `Agent output does not fit its schema: ${formatProblems(problems)}`, {
      hint: "Correct the agent or its structured_output.schema.",
    });
  };
}

function unreadable(thrown: unknown): Outcome {
  if (thrown instanceof RowcallError) return failedOutcome(thrown.code, thrown.message, thrown);
  return failedOutcome("OUTPUT_INVALID", `The agent's reply cannot be read: ${messageOf(thrown)}`, {
    hint: "Reading its structured_output throws. Answer with a plain object.",
  });
}

function findStructuredOutput(reply: unknown): object | undefined {
  if (!isJsonObject(reply)) return undefined;
  const output = outputIn(reply) ?? outputIn(unwrap(reply["Output"])) ?? outputIn(reply["content"]);
  return isJsonObject(output) ? output : undefined;
}

function outputIn(place: unknown): unknown {
  return isJsonObject(place) ? place["structured_output"] : undefined;
}

function unwrap(wrapped: unknown): unknown {
  if (typeof wrapped !== "string") return wrapped;
  try {
    return parseJson(wrapped);
  } catch {
    return undefined;
  }
}
