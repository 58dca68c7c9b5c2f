import type { JsonValue } from "../../src/core/json.ts";
import type { Machine, State } from "./definition.ts";
import { isExpression } from "./definition-schema.ts";
import { parseExpression } from "./expression.ts";
import { levels } from "./walk.ts";

// Fields of a state that have no expressions of its own.
const elsewhere: ReadonlySet<string> = new Set([
  "Type",
  "Comment",
  "QueryLanguage",
  "Resource",
  "Next",
  "Default",
  "Label",
]);
const withResult: ReadonlySet<string> = new Set(["Task", "Map", "Parallel"]);

/** Expressions that cannot be parsed, or read what is not there. */
export function checkExpressions(machine: Machine): string[] {
  return levels(machine).flatMap(({ sequence }) =>
    Object.entries(sequence.States).flatMap(([name, state]) =>
      expressionsIn(state).flatMap(({ text, at }) =>
        problemsOf(text, fieldsAt(state, at)).map((problem) => `State "${name}" ${problem} in ${at}: ${text}`),
      ),
    ),
  );
}

interface Place {
  readonly text: string;
  /** `Output/result`. */
  readonly at: string;
}

function expressionsIn(state: State): readonly Place[] {
  const found: Place[] = [];
  const search = (value: JsonValue | undefined, at: string): void => {
    if (typeof value === "string") {
      if (isExpression(value)) found.push({ text: value, at });
    } else if (typeof value === "object" && value !== null) {
      for (const [key, each] of Object.entries(value as Record<string, JsonValue>))
        // The states inside have their own turn.
        if (key !== "States" || !/^(ItemProcessor|Branches\/\d+)$/.test(at)) search(each, `${at}/${key}`);
    }
  };
  for (const [field, value] of Object.entries(state as unknown as Record<string, JsonValue>))
    if (!elsewhere.has(field)) search(value, field);
  return found;
}

/** Fields of `$states` that an expression may read. */
function fieldsAt(state: State, at: string): ReadonlySet<string> {
  const fields = new Set(["input", "context"]);
  if (/^Catch\/\d+\/(Assign|Output)/.test(at)) fields.add("errorOutput");
  else if (withResult.has(state.Type) && /^(Assign|Output)/.test(at)) fields.add("result");
  return fields;
}

function problemsOf(text: string, fields: ReadonlySet<string>): string[] {
  try {
    const { statesFields, names } = parseExpression(text);
    const wrong = [...statesFields].filter((field) => !fields.has(field));
    return [
      ...wrong.map((field) => `reads $states.${field}, which is not there`),
      ...(names.has("eval") ? ["uses $eval, which Step Functions does not have"] : []),
    ];
  } catch (error) {
    return [`has no JSONata (${(error as Error).message})`];
  }
}
