import type { Machine } from "./definition.ts";
import { checkExpressions } from "./check-expressions.ts";
import { checkStates } from "./check-states.ts";
import { machineSchema } from "./definition-schema.ts";

/** A definition has something that this interpreter does not run, or that AWS would refuse. */
export class DefinitionError extends Error {
  override readonly name = "DefinitionError";
  /** One sentence each, with the state and the field. */
  readonly problems: readonly string[];

  constructor(machine: string, problems: readonly string[]) {
    super(`Machine ${machine} cannot be run:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/**
 * Checks a definition to its last field.
 *
 * @param name - the machine's, for messages
 * @throws DefinitionError
 */
export function loadDefinition(name: string, definition: unknown): Machine {
  const parsed = machineSchema.safeParse(definition);
  if (!parsed.success) throw new DefinitionError(name, parsed.error.issues.map(explain));
  // Not what the parser made of it: that lacks keys such as `__proto__`, which data may have.
  const machine = structuredClone(definition) as Machine;
  const problems = [...checkStates(machine), ...checkExpressions(machine)];
  if (problems.length > 0) throw new DefinitionError(name, problems);
  return machine;
}

interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
}

function explain(issue: Issue): string {
  const { path, message, keys } = issue;
  const at = path.findLastIndex((key) => key === "States");
  const state = at === -1 ? undefined : path[at + 1];
  const whose = state === undefined ? "The machine" : `State "${String(state)}"`;
  const where = path.map(String).join("/");
  if (keys !== undefined)
    return `${whose} has what is not known here: ${keys.map((key) => `"${key}"`).join(", ")} at /${where}`;
  return `${whose}: ${message} at /${where}`;
}
