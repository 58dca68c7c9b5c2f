import jsonata from "jsonata";
import type { JsonValue } from "../../src/core/json.ts";
import type { Machine, Outcome, Sequence, State } from "../../test/asl/definition.ts";
import { isExpression } from "../../test/asl/definition-schema.ts";
import { levels } from "../../test/asl/walk.ts";

// JSONata's without `$eval`, and those that Step Functions adds.
const functions: ReadonlySet<string> = new Set(
  (
    "abs append assert average base64decode base64encode boolean ceil contains count decodeUrl decodeUrlComponent distinct each " +
    "encodeUrl encodeUrlComponent error exists filter floor formatBase formatInteger formatNumber fromMillis join keys length lookup " +
    "lowercase map match max merge millis min not now number pad parseInteger power reduce replace reverse round shuffle sift " +
    "single sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase zip " +
    "partition range hash random uuid parse"
  ).split(" "),
);

/**
 * Variables that are read where no way from the start has assigned them, and functions that do not exist: what neither
 * asl-validator nor `loadDefinition` sees.
 *
 * @param machine - one that `loadDefinition` has let through
 * @returns one sentence each
 */
export function checkVariables(machine: Machine): readonly string[] {
  // No machine of ours has variables around a map that runs inline, or a branch.
  return levels(machine).flatMap(({ sequence }) =>
    [...assignedBefore(sequence)].flatMap(([name, assigned]) =>
      textsIn(sequence.States[name])
        .filter(isExpression)
        .flatMap((text) => [...readsOf(text)])
        .filter((variable) => !assigned.has(variable) && !functions.has(variable))
        .map((variable) => `${name} reads $${variable}, which is not assigned before`),
    ),
  );
}

function assignedBefore({ StartAt, States }: Sequence): ReadonlyMap<string, ReadonlySet<string>> {
  const before = new Map<string, ReadonlySet<string>>();
  const reach = (name: string, assigned: ReadonlySet<string>): void => {
    const known = before.get(name);
    const together = new Set([...(known ?? []), ...assigned]);
    if (known?.size === together.size) return;
    before.set(name, together);
    for (const { next, assigns } of waysOut(States[name])) reach(next, new Set([...together, ...assigns]));
  };
  reach(StartAt, new Set());
  return before;
}

interface Way {
  readonly next: string;
  readonly assigns: readonly string[];
}

function waysOut(state: State | undefined): readonly Way[] {
  const { Next, Default, Catch = [], Choices = [], ...own } = state as WithWays;
  return [{ Next, ...own }, { Next: Default, ...own }, ...Catch, ...Choices].flatMap((part) =>
    part.Next === undefined ? [] : [{ next: part.Next, assigns: Object.keys(part.Assign ?? {}) }],
  );
}

interface Leading extends Outcome {
  readonly Next?: string | undefined;
}

interface WithWays extends Leading {
  readonly Default?: string;
  readonly Catch?: readonly Leading[];
  readonly Choices?: readonly Leading[];
}

function textsIn(value: unknown, key = ""): readonly string[] {
  if (typeof value === "string") return [value];
  // The states inside have their own turn.
  if (typeof value !== "object" || value === null || key === "States") return [];
  return Object.entries(value as Record<string, JsonValue>).flatMap(([name, each]) => textsIn(each, name));
}

interface Node {
  readonly type?: string;
  readonly value?: unknown;
  readonly arguments?: readonly Node[];
  readonly lhs?: Node;
}

/** Variables and functions that an expression reads and does not bind itself. */
function readsOf(text: string): ReadonlySet<string> {
  const read = new Set<string>();
  const bound = new Set(["states", ""]);
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const node = value as Node;
    if (node.type === "variable") read.add(String(node.value));
    if (node.type === "bind") bound.add(String(node.lhs?.value));
    if (node.type === "lambda") for (const argument of node.arguments ?? []) bound.add(String(argument.value));
    for (const each of Object.values(value)) visit(each);
  };
  visit(jsonata(text.slice(2, -2)).ast());
  return read.difference(bound);
}
