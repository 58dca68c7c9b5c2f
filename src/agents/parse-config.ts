import type { z } from "zod";
import type { AgentDefinition } from "../core/agent.ts";
import { invalid, parseWith, type Problem } from "../core/schema.ts";

/**
 * Reads the settings of an agent's kind.
 *
 * @param problemsIn - finds what the schema cannot say
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseConfig<T extends z.ZodType>(
  schema: T,
  { agent_name: agent, config }: AgentDefinition,
  problemsIn: (config: z.output<T>) => readonly Problem[] = () => [],
): z.output<T> {
  const what = `config of agent ${agent}`;
  const parsed = parseWith(schema, config, "AGENT_INVALID", what);
  const problems = problemsIn(parsed);
  if (problems.length > 0) throw invalid("AGENT_INVALID", what, problems);
  return parsed;
}
