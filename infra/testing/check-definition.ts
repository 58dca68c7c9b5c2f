import jsonata from "jsonata";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  ItemReader: ["Resource", "ReaderConfig", "Arguments"],
  ReaderConfig: ["InputType", "CSVDelimiter", "CSVHeaderLocation", "CSVHeaders", "ManifestType", "MaxItems"],
  ItemBatcher: ["MaxItemsPerBatch", "MaxInputBytesPerBatch", "BatchInput"],
  ResultWriter: ["Resource", "Arguments", "WriterConfig"],
  WriterConfig: ["OutputType", "Transformation"],
  ProcessorConfig: ["Mode", "ExecutionType"],
};

// Step Functions' own, beside those of JSONata that it has.
const functions = new Set(["partition", "range", "hash", "random", "uuid", "parse"]);
const withoutEval = new Set(
  (
    "abs append assert average base64decode base64encode boolean ceil contains count decodeUrl decodeUrlComponent distinct each " +
    "encodeUrl encodeUrlComponent error exists filter floor formatBase formatInteger formatNumber fromMillis join keys length lookup " +
    "lowercase map match max merge millis min not now number pad parseInteger power reduce replace reverse round shuffle sift " +
    "single sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase zip"
  ).split(" "),
);

/**
 * What AWS would refuse, at creation or while it runs, of what asl-validator does not see: ways that lead nowhere, JSONata that
 * cannot be parsed, variables that nobody assigned, results where there are none yet, unknown keys of readers and writers.
 *
 * @returns one sentence each
 */
export function checkDefinition(definition: JsonObject): readonly string[] {
  return checkStates(definition, new Set());
}

type Assigned = ReadonlySet<string>;

function checkStates(machine: JsonObject, around: Assigned): string[] {
  const states = machine["States"] as Readonly<Record<string, JsonObject>>;
  const problems: string[] = [];
  const before = new Map<string, Set<string>>();
  const reach = (name: string, assigned: Assigned): void => {
    const state = states[name];
    if (state === undefined) return void problems.push(`leads to "${name}", which is not there`);
    const known = before.get(name);
    const together = new Set([...(known ?? []), ...assigned]);
    if (known !== undefined && together.size === known.size) return;
    before.set(name, together);
    for (const way of waysOut(state)) reach(way.next, new Set([...together, ...way.assigned]));
  };
  reach(String(machine["StartAt"]), around);
  for (const [name, state] of Object.entries(states)) {
    const assigned = before.get(name);
    if (assigned === undefined) problems.push(`${name} is never reached`);
    else problems.push(...checkState(state, assigned).map((problem) => `${name} ${problem}`));
  }
  return problems;
}

interface Way {
  readonly next: string;
  readonly assigned: readonly string[];
}

function waysOut(state: JsonObject): readonly Way[] {
  const of = (part: JsonObject, key: string): Way[] =>
    typeof part[key] === "string" ? [{ next: part[key], assigned: Object.keys(part["Assign"] ?? {}) }] : [];
  const parts = [...listOf(state["Choices"]), ...listOf(state["Catch"])];
  return [...of(state, "Next"), ...of(state, "Default"), ...parts.flatMap((part) => of(part, "Next"))];
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as JsonObject[]) : [];
}

function checkState(state: JsonObject, assigned: Assigned): string[] {
  const problems: string[] = [];
  const visit = (value: JsonValue, path: readonly string[]): void => {
    const key = path.at(-1) ?? "";
    if (typeof value === "string") return void problems.push(...checkText(value, path, state, assigned));
    if (typeof value !== "object" || value === null) return;
    if (key === "ItemProcessor") {
      const processor = value as JsonObject;
      const { Mode: mode } = processor["ProcessorConfig"] as JsonObject;
      // A distributed map's executions begin without variables.
      problems.push(...checkStates(processor, mode === "DISTRIBUTED" ? new Set() : assigned));
      visit(processor["ProcessorConfig"] ?? null, [...path, "ProcessorConfig"]);
      return;
    }
    const known = isJsonObject(value) ? knownKeys[key] : undefined;
    for (const [name, each] of Object.entries(value as Record<string, JsonValue>)) {
      if (known?.includes(name) === false) problems.push(`has the unknown key ${key}.${name}`);
      visit(each, [...path, name]);
    }
  };
  visit(state, []);
  return problems;
}

function checkText(text: string, path: readonly string[], state: JsonObject, assigned: Assigned): string[] {
  const where = path.join("/");
  if (!text.startsWith("{%")) return text.includes("{%") ? [`${where} has JSONata within a text`] : [];
  if (!text.endsWith("%}")) return [`${where} does not end its JSONata`];
  try {
    const { variables, fields } = readsOf(jsonata(text.slice(2, -2)).ast());
    const wrong = [...fields].filter((field) => !fieldsAt(state, path).includes(field));
    const unknown = [...variables].filter(
      (name) => !assigned.has(name) && !functions.has(name) && !withoutEval.has(name),
    );
    return [
      ...wrong.map((field) => `${where} reads $states.${field}, which is not there`),
      ...unknown.map((name) => `${where} reads $${name}, which is not assigned before`),
    ];
  } catch (error) {
    return [`${where} is no JSONata: ${(error as Error).message}`];
  }
}

function fieldsAt({ Type: type }: JsonObject, [field = "", , within = ""]: readonly string[]): readonly string[] {
  if (field === "Catch") return ["input", "context", ...(/^(Assign|Output)$/.test(within) ? ["errorOutput"] : [])];
  const hasResult = /^(Task|Map|Parallel)$/.test(String(type)) && /^(Assign|Output)$/.test(field);
  return ["input", "context", ...(hasResult ? ["result"] : [])];
}

interface Node {
  readonly type?: string;
  readonly value?: unknown;
  readonly steps?: readonly Node[];
  readonly arguments?: readonly Node[];
  readonly lhs?: Node;
}

/** Variables that an expression reads and does not bind itself, and which fields of `$states`. */
function readsOf(ast: object): { readonly variables: ReadonlySet<string>; readonly fields: ReadonlySet<string> } {
  const read = new Set<string>();
  const bound = new Set<string>(["states", ""]);
  const fields = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const node = value as Node;
    if (node.type === "variable") read.add(String(node.value));
    if (node.type === "bind") bound.add(String(node.lhs?.value));
    if (node.type === "lambda") for (const argument of node.arguments ?? []) bound.add(String(argument.value));
    const [first, second] = node.steps ?? [];
    if (first?.type === "variable" && first.value === "states") fields.add(String(second?.value));
    for (const each of Object.values(value)) visit(each);
  };
  visit(ast);
  return { variables: new Set([...read].filter((name) => !bound.has(name))), fields };
}
