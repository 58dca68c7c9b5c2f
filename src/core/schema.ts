import { distance } from "fastest-levenshtein";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { z } from "zod";
import { RowcallError, messageOf, type ErrorCode } from "./errors.ts";
import { isJsonObject, type JsonArray, type JsonObject, type JsonValue } from "./json.ts";
import { compilePattern } from "./pattern.ts";

/** One thing that is wrong with what a user wrote. */
export interface Problem {
  /** Where, as a dotted path: `execution_config.max_concurrency`; empty for the whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** The known word nearest to a mistyped one, or undefined when none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Some of the word must be left: two letters changed make any two-letter word of another.
  let bestDistance = Math.min(Math.max(2, Math.floor(word.length / 3)), word.length - 1) + 1;
  for (const candidate of known) {
    // Letters that lack have to be added at the least.
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}

/** "Did you mean …?", or the known words when none is near. */
export function suggest(word: string, known: Iterable<string>): string {
  const all = [...known];
  const near = nearest(word, all);
  if (near !== undefined) return `Did you mean "${near}"?`;
  return all.length === 0 ? "There are none." : `Known: ${all.slice(0, 20).join(", ")}.`;
}

/** Names that a list has more than once. */
export function repeatedNames(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const name of names) (seen.has(name) ? repeated : seen).add(name);
  return repeated;
}

/**
 * Reads a value with a zod schema; everything that is wrong comes at once.
 *
 * @param what - what the value is, for the message: `batch file broadband.json`
 * @throws RowcallError with `code` and `details.problems`
 */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, code: ErrorCode, what: string): z.output<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw invalid(
    code,
    what,
    result.error.issues.flatMap((issue) => problemsOfIssue(schema, issue)),
  );
}

/** What could be read of a value. */
export interface Reading<T> {
  /** The value with everything wrong taken out; undefined when nothing is left of it. */
  readonly data?: T;
  readonly problems: readonly Problem[];
}

/** Reads as much of a value as a zod schema allows: what is wrong is listed, and then taken for absent. */
export function readWith<T extends z.ZodType>(schema: T, value: unknown): Reading<z.output<T>> {
  let result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { data: result.data, problems: [] };
  const problems = result.error.issues.flatMap((issue) => problemsOfIssue(schema, issue));
  let rest: unknown = value;
  // One fault at a time: taking it out moves what stands behind it in a list.
  while (!result.success) {
    const [fault] = result.error.issues.flatMap(leavesOf);
    const path =
      fault === undefined
        ? []
        : fault.code === "unrecognized_keys"
          ? [...fault.path, ...fault.keys.slice(0, 1)]
          : fault.path;
    rest = without(rest, path);
    if (rest === undefined) return { problems };
    result = schema.safeParse(rest);
  }
  return { data: result.data, problems };
}

// The value without what stands at the path; without what should hold it, where that is missing itself.
function without(value: unknown, [key, ...below]: readonly PropertyKey[]): unknown {
  if (key === undefined || typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  const kept = entries.flatMap(([name, item]): [PropertyKey, unknown][] => {
    if (String(name) !== String(key)) return [[name, item]];
    const rest = without(item, below);
    return rest === undefined ? [] : [[name, rest]];
  });
  return Array.isArray(value) ? kept.map(([, item]) => item) : Object.fromEntries(kept);
}

/** An error that lists problems, the first one in its message. */
export function invalid(code: ErrorCode, what: string, problems: readonly Problem[]): RowcallError {
  const lines = problems.map((p) => `${p.path === "" ? "" : `${p.path}: `}${p.message}`);
  const hint = problems.find((p) => p.hint !== undefined)?.hint;
  return new RowcallError(code, `The ${what} is not valid: ${lines.join("; ")}`, {
    hint,
    details: { problems },
  });
}

function problemsOfIssue(schema: z.ZodType, issue: z.core.$ZodIssue): Problem[] {
  return leavesOf(issue).flatMap((leaf): Problem[] => {
    const path = leaf.path.map(String).join(".");
    if (leaf.code !== "unrecognized_keys") return [{ path, ...describeIssue(leaf) }];
    const known = keysAt(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonObject, leaf.path);
    return leaf.keys.map((key) => ({
      path: path === "" ? key : `${path}.${key}`,
      message: `unknown key "${key}"`,
      hint: suggest(key, known),
    }));
  });
}

// Where several forms are allowed, the faults of the one that was meant: the one that fits deepest.
function leavesOf(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const deepest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0];
  if (deepest === undefined) return [issue];
  // Where none goes deep, a form of the right type says more than that another form would have another type.
  const sameType = issue.errors.filter(
    (form) => !form.some((inner) => inner.code === "invalid_type" && inner.path.length === 0),
  );
  const [only] = sameType;
  const meant = depth(deepest) > 0 ? deepest : sameType.length === 1 ? only : undefined;
  if (meant === undefined) return [issue];
  return meant.flatMap((inner) => leavesOf({ ...inner, path: [...issue.path, ...inner.path] }));
}

function describeIssue(issue: z.core.$ZodIssue): Omit<Problem, "path"> {
  if (issue.code === "invalid_type" && issue.input === undefined) {
    return { message: `missing, ${expected(issue)}` };
  }
  if (issue.code === "invalid_value" && issue.input !== undefined) return unknownWord(issue.input, issue.values);
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const forms = new Set(issue.errors.flatMap((option) => option.slice(0, 1).map(expected)));
    return { message: [...forms].join(", or ") + instead(issue.input) };
  }
  if (
    issue.code === "invalid_union" &&
    "options" in issue &&
    issue.options !== undefined &&
    isJsonObject(issue.input)
  ) {
    return unknownWord(issue.input[issue.discriminator ?? ""], issue.options);
  }
  return { message: expected(issue) + (issue.code === "custom" ? "" : instead(issue.input)) };
}

function expected({ message }: z.core.$ZodIssue): string {
  const text = message.replace(/^Invalid input: /, "").replace(/, received \w+$/, "");
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** What stands there, when it is short enough to be shown. */
function instead(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return ", not a list";
  const text = typeof value === "object" && value !== null ? "an object" : JSON.stringify(value);
  return text.length > 60 ? `, not ${text.slice(0, 59)}…` : `, not ${text}`;
}

function unknownWord(word: unknown, known: readonly unknown[]): Omit<Problem, "path"> {
  const isWord = typeof word === "string" && word.length <= 60;
  const shown = isWord ? JSON.stringify(word) : instead(word).replace(", not ", "");
  return {
    message: `${shown} is not a choice`,
    hint: suggest(isWord ? word : "", known.map(String)),
  };
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function keysAt(schema: JsonObject, path: readonly PropertyKey[]): Set<string> {
  let nodes: JsonObject[] = [schema];
  const definitions = (schema["$defs"] ?? {}) as JsonObject;
  const open = (node: JsonObject): JsonObject[] => {
    const reference = node["$ref"];
    if (typeof reference === "string") {
      return open((definitions[reference.replace("#/$defs/", "")] ?? {}) as JsonObject);
    }
    const options = (node["anyOf"] ?? node["oneOf"] ?? node["allOf"]) as readonly JsonObject[] | undefined;
    return options === undefined ? [node] : options.flatMap(open);
  };
  nodes = nodes.flatMap(open);
  for (const segment of path) {
    nodes = nodes
      .flatMap((node) => {
        const properties = (node["properties"] ?? {}) as JsonObject;
        const next =
          typeof segment === "number" ? node["items"] : (properties[String(segment)] ?? node["additionalProperties"]);
        return isJsonObject(next) ? [next] : [];
      })
      .flatMap(open);
  }
  return new Set(nodes.flatMap((node) => Object.keys((node["properties"] ?? {}) as JsonObject)));
}

/** Checks a value against a JSON Schema; answers with everything that is wrong, nothing when it fits. */
export type Validate = (value: unknown) => readonly Problem[];

/**
 * Compiles a JSON Schema: draft 2020-12, or draft-07 where its `$schema` says so.
 *
 * @param what - whose schema it is, for the message
 * @throws RowcallError AGENT_INVALID when the schema itself is wrong
 */
export function compileSchema(schema: JsonObject, what: string): Validate {
  const Dialect = JSON.stringify(schema["$schema"] ?? "").includes("draft-07") ? Ajv : Ajv2020;
  const ajv = new Dialect({ allErrors: true, strict: false, verbose: true, code: { regExp: linearPattern } });
  addFormats.default(ajv);
  boundUrls(ajv);
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    compile: (isWanted: boolean) => (items: readonly unknown[]) =>
      !isWanted || new Set(items.map(canonical)).size === items.length,
    error: { message: "must NOT have duplicate items" },
  });
  let validate: ValidateFunction;
  try {
    validate = ajv.compile(schema);
  } catch (cause) {
    const isPattern = cause instanceof PatternError;
    throw new RowcallError(
      "AGENT_INVALID",
      isPattern
        ? `${what} has a pattern that cannot be used: ${cause.message}`
        : `${what} is not a JSON Schema: ${messageOf(cause)}`,
      {
        hint: isPattern
          ? "Write the pattern without that part: as two patterns under allOf, or with not, minLength and maxLength."
          : "Correct the schema; https://json-schema.org/learn explains each keyword.",
        cause,
      },
    );
  }
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(problemOfAjv));
}

class PatternError extends Error {}

// What a schema's author wrote meets whatever a table, a site or a service says.
const linearPattern = Object.assign(
  (source: string) => {
    try {
      return { ...compilePattern(source), toString: () => source };
    } catch (cause) {
      throw new PatternError(messageOf(cause), { cause });
    }
  },
  { code: "linearPattern" },
);

// The library's expression for this format takes time that grows with the square of the text.
function boundUrls(ajv: Ajv): void {
  const { url } = ajv.formats;
  if (url instanceof RegExp) ajv.addFormat("url", (text: string) => text.length <= 2048 && url.test(text));
}

// Equal values have equal texts: keys are sorted. Comparing each with each would take the square of their number.
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: JsonValue) =>
    isJsonObject(part)
      ? Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1))
      : Array.isArray(part)
        ? ["list", ...(part as JsonArray)]
        : part,
  );
}

function problemOfAjv(error: ErrorObject): Problem {
  const path = error.instancePath.slice(1).replaceAll("/", ".");
  const allowed = error.keyword === "enum" ? `: ${JSON.stringify(error.params["allowedValues"])}` : "";
  const named =
    error.keyword === "additionalProperties" ? ` (${JSON.stringify(error.params["additionalProperty"])})` : "";
  const found = typeof error.data === "object" && error.keyword !== "type" ? "" : instead(error.data);
  return { path, message: `${error.message ?? error.keyword}${allowed}${named}${found}` };
}

/**
 * An error that tells of problems in one line, with the hint of the first.
 *
 * @param what - that there are some: `The input mapping does not fit the table`
 */
export function problemsError(code: ErrorCode, what: string, problems: readonly Problem[]): RowcallError {
  const [first] = problems;
  return new RowcallError(code, `${what}: ${formatProblems(problems)}`, { hint: first?.hint, details: { problems } });
}

/** Problems as one readable line: `downstream_mbps must be number; exchange must be string`. */
export function formatProblems(problems: readonly Problem[]): string {
  const shown = problems.slice(0, 20).map((p) => `${p.path} ${p.message}`.trim());
  const more = problems.length - shown.length;
  return [...shown, ...(more === 0 ? [] : [`and ${more} more`])].join("; ");
}
