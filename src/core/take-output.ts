import { z } from "zod";
import { messageOf, RowcallError } from "./errors.ts";
import { firstAt, requireJsonPath, isJsonObject, type JsonValue } from "./json.ts";
import type { Problem } from "./schema.ts";

/**
 * Where the answer is in what the other side answered. `reply`: it holds `structured_output`; `body`: it is the answer; else a
 * JSONPath of it.
 */
export const outputSchema = z
  .string()
  .regex(/^(reply|body|\$.*)$/s, 'must be "reply", "body" or a JSONPath that begins with $')
  .default("reply");

/** What is wrong with the setting that the schema does not see. */
export function outputProblems(output: string): Problem[] {
  if (!output.startsWith("$")) return [];
  try {
    requireJsonPath(output);
    return [];
  } catch (thrown) {
    return [{ path: "output", message: `${JSON.stringify(output)} is not a JSONPath: ${messageOf(thrown)}` }];
  }
}

/**
 * The agent's reply, made of what the other side answered.
 *
 * @param whose - whose answer it is, for messages: `the function lookup`
 * @throws RowcallError OUTPUT_INVALID when what is there is not an object
 */
export function takeOutput(output: string, answer: JsonValue, whose: string): JsonValue {
  if (output === "reply") return answer;
  const found = output === "body" ? answer : firstAt(output, answer);
  if (found === undefined) return {};
  if (isJsonObject(found)) return { structured_output: found };
  const where = output === "body" ? "The answer" : `What is at ${output} in the answer`;
  throw new RowcallError("OUTPUT_INVALID", `${where} of ${whose} is not an object`, {
    hint: "structured_output is an object: one field a column. Correct the agent's output.",
  });
}
