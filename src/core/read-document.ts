import {
  alteredNumber,
  givenTwice,
  lostKey,
  maxLevels,
  nestedTooDeep,
  type DocumentFault,
  faultError,
  positionAt,
  type Position,
} from "./document-fault.ts";
import { messageOf, RowcallError, type ErrorCode } from "./errors.ts";

interface Open {
  /** Keys so far; absent for a list. */
  readonly keys?: Set<string>;
  /** Key or index of the value that comes next. */
  at: string | number;
}

const tokens = /(?<text>"[^"\\]*(?:\\.[^"\\]*)*")(?<colon>\s*:)?|[[\]{},]|-?\d[\d.eE+-]*/g;

/**
 * Finds what `JSON.parse` passes over in silence: a key that is given twice, a number that loses digits, endless nesting.
 *
 * @param text - that `JSON.parse` takes
 */
function findJsonFault(text: string): DocumentFault | undefined {
  const open: Open[] = [];
  const path = (): (string | number)[] => open.map(({ at }) => at);
  for (const { 0: token, index, groups } of text.matchAll(tokens)) {
    const inner = open.at(-1);
    if (token === "{" || token === "[") {
      if (open.length === maxLevels) return nestedTooDeep(String(open[0]?.at ?? ""), index);
      open.push(token === "{" ? { keys: new Set(), at: "" } : { at: 0 });
    } else if (token === "}" || token === "]") open.pop();
    else if (token === ",") {
      if (typeof inner?.at === "number") inner.at += 1;
    } else if (groups?.["colon"] !== undefined && inner !== undefined) {
      const key = JSON.parse(groups["text"] ?? "") as string;
      if (inner.keys?.has(key) === true) return givenTwice(key, index);
      if (key === "__proto__") return lostKey(index);
      inner.keys?.add(key);
      inner.at = key;
    } else if (groups?.["text"] === undefined) {
      const fault = alteredNumber(path(), Number(token), token, index);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

/**
 * Reads a JSON document, or a YAML one when its name ends in `.yaml` or `.yml`. What would be lost without a word is an error in
 * both: one of two values under the same key, digits of a long number.
 *
 * @param name - where the text is from; its ending decides the format
 * @param what - what it is, for messages: `batch file broadband.json`
 * @throws RowcallError with `code`; `details.line` and `details.column`, both 1-based, say where
 */
export async function readDocument(text: string, name: string, code: ErrorCode, what: string): Promise<unknown> {
  const plain = text.replace(/^\uFEFF/, "");
  return /\.ya?ml$/i.test(name) ? readYaml(plain, code, what) : readJson(plain, code, what);
}

async function readYaml(text: string, code: ErrorCode, what: string): Promise<unknown> {
  const [{ parseDocument }, { findYamlDepth, findYamlFault, yamlValue }] = await Promise.all([
    import("./yaml.ts"),
    import("./check-yaml.ts"),
  ]);
  const deep = findYamlDepth(text);
  if (deep !== undefined) throw faultError(deep, text, code, what);
  const document = parseDocument(text, { stringKeys: true });
  const [error] = document.errors;
  if (error?.code === "DUPLICATE_KEY") {
    const [offset] = error.pos;
    const [, key = ""] = /^("(?:\\.|[^"\\])*"|'[^']*'|[^:\n]*)/.exec(text.slice(offset)) ?? [];
    const twice = givenTwice(key.trim().replace(/^(["'])(.*)\1$/, "$2"), offset);
    throw faultError(twice, text, code, what, error);
  }
  if (error !== undefined) {
    const message = error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? "";
    throw syntaxError(code, what, "YAML", message, positionAt(text, error.pos[0]), error);
  }
  const fault = findYamlFault(document);
  const read = fault === undefined ? yamlValue(document) : { fault };
  if ("fault" in read) throw faultError(read.fault, text, code, what);
  return read.value;
}

async function readJson(text: string, code: ErrorCode, what: string): Promise<unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = messageOf(cause);
    const reason = message.replace(
      /,? (?:\.\.\.)?"[^]*" is not valid JSON$| in JSON at position [^]*$| after JSON at position [^]*$/,
      "",
    );
    const at = await jsonPosition(message, text);
    throw syntaxError(code, what, "JSON", reason.replaceAll("\n", String.raw`\n`), at, cause);
  }
  const fault = findJsonFault(text);
  if (fault !== undefined) throw faultError(fault, text, code, what);
  return value;
}

// V8 names the position of most mistakes, but not of an unknown word; a YAML parser held to JSON's values does.
async function jsonPosition(message: string, text: string): Promise<Position | undefined> {
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? [];
  if (line !== undefined) return { line: Number(line), column: Number(column) };
  if (message.startsWith("Unexpected end")) return positionAt(text, text.length);
  const { parseDocument } = await import("./yaml.ts");
  const [error] = parseDocument(text, { schema: "json" }).errors;
  return error && positionAt(text, error.pos[0]);
}

function syntaxError(
  code: ErrorCode,
  what: string,
  format: string,
  reason: string,
  at: Position | undefined,
  cause: unknown,
): RowcallError {
  const where = at === undefined ? "" : ` (line ${at.line}, column ${at.column})`;
  return new RowcallError(code, `The ${what} is not ${format}: ${reason}${where}`, {
    hint:
      at === undefined ? `Correct the ${format}.` : `Look at line ${at.line}, column ${at.column}, or just before it.`,
    cause,
    details: { ...at },
  });
}
