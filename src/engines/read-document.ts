import type { YAMLParseError } from "yaml";
import { messageOf, RowcallError, type ErrorCode } from "../core/errors.ts";

/** Deeper than anything that is written by hand, and far from where recursion ends. */
const maxLevels = 200;

/**
 * Reads a JSON document, or a YAML one when its name ends in `.yaml` or `.yml`. A key that is given twice is an error in both: one
 * of the two values would be lost.
 *
 * @param name - where the text is from; its ending decides the format
 * @param what - what it is, for messages: `batch file broadband.json`
 * @throws RowcallError with `code`; `details.line` and `details.column`, both 1-based, say where
 */
export async function readDocument(text: string, name: string, code: ErrorCode, what: string): Promise<unknown> {
  const isYaml = /\.ya?ml$/i.test(name);
  const value = isYaml ? await readYaml(text, code, what) : await readJson(text, code, what);
  const deep = tooDeep(value);
  if (deep !== undefined) throw nestedTooDeep(code, what, ` below "${deep}"`, undefined);
  if (!isYaml) await rejectTwins(text, code, what);
  return value;
}

async function readYaml(text: string, code: ErrorCode, what: string): Promise<unknown> {
  const { isScalar, LineCounter, parseDocument, visit } = await import("../core/yaml.ts");
  const lines = new LineCounter();
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, { lineCounter: lines });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw nestedTooDeep(code, what, "", cause);
  }
  const [error] = document.errors;
  if (error !== undefined) {
    if (error.code === "DUPLICATE_KEY") throw twins(code, what, text, error);
    if (error.message.startsWith("Maximum call stack")) throw nestedTooDeep(code, what, "", error);
    const at = error.linePos?.[0];
    const message = error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? "";
    throw syntaxError(code, what, "YAML", message, at && { line: at.line, column: at.col }, error);
  }
  // A value that begins with * is an alias to YAML, such as *.csv.
  let lost: RowcallError | undefined;
  visit(document, {
    Alias(_, node, path) {
      if (node.resolve(document) !== undefined) return undefined;
      const pair = path.findLast((around) => "key" in around);
      const key = pair !== undefined && isScalar(pair.key) ? `${String(pair.key.value)}: ` : "";
      const { line, col: column } = lines.linePos(node.range?.[0] ?? 0);
      const message = `${key}*${node.source} refers to an anchor that is not there (line ${line}, column ${column})`;
      lost = new RowcallError(code, `The ${what} is not valid: ${message}`, {
        hint: `Put a text that begins with * into quotes: "*${node.source}".`,
        details: { line, column },
      });
      return visit.BREAK;
    },
  });
  if (lost !== undefined) throw lost;
  try {
    return document.toJS();
  } catch (cause) {
    throw new RowcallError(code, `The ${what} cannot be read: ${messageOf(cause)}`, {
      hint: "Write the values out in place of so many aliases.",
      cause,
    });
  }
}

/** The key at the top under which a value is nested too deeply. */
function tooDeep(value: unknown): string | undefined {
  const open = [{ value, level: 0, top: "" }];
  // Shared parts of a YAML document are looked at once.
  const seen = new Set<object>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== "object" || next.value === null || seen.has(next.value)) continue;
    if (next.level === maxLevels) return next.top;
    seen.add(next.value);
    for (const [key, inner] of Object.entries(next.value))
      open.push({ value: inner, level: next.level + 1, top: next.level === 0 ? key : next.top });
  }
  return undefined;
}

function nestedTooDeep(code: ErrorCode, what: string, where: string, cause: unknown): RowcallError {
  return new RowcallError(code, `The ${what} is nested deeper than ${maxLevels} levels${where}`, {
    hint: "Look for brackets that are never closed or were doubled.",
    cause,
  });
}

// JSON.parse keeps the last of two values without a word; JSON is YAML, whose parser tells.
async function rejectTwins(text: string, code: ErrorCode, what: string): Promise<void> {
  const { parseDocument } = await import("../core/yaml.ts");
  const twin = parseDocument(text, { schema: "json" }).errors.find((error) => error.code === "DUPLICATE_KEY");
  if (twin !== undefined) throw twins(code, what, text, twin);
}

function twins(code: ErrorCode, what: string, text: string, error: YAMLParseError): RowcallError {
  const { line = 1, col: column = 1 } = error.linePos?.[0] ?? {};
  const [, key = ""] = /^("(?:\\.|[^"\\])*"|'[^']*'|[^:\n]*)/.exec(text.slice(error.pos[0])) ?? [];
  const name = key.trim().replace(/^(["'])(.*)\1$/, "$2");
  return new RowcallError(
    code,
    `The ${what} is not valid: key "${name}" is given twice (line ${line}, column ${column})`,
    {
      hint: "Keep one of the two.",
      cause: error,
      details: { line, column },
    },
  );
}

async function readJson(text: string, code: ErrorCode, what: string): Promise<unknown> {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")) as unknown;
  } catch (cause) {
    const message = messageOf(cause);
    const reason = message.replace(
      /,? (?:\.\.\.)?"[^]*" is not valid JSON$| in JSON at position [^]*$| after JSON at position [^]*$/,
      "",
    );
    throw syntaxError(
      code,
      what,
      "JSON",
      reason.replaceAll("\n", String.raw`\n`),
      await jsonPosition(message, text),
      cause,
    );
  }
}

interface Position {
  readonly line: number;
  readonly column: number;
}

// V8 names the position of most mistakes, but not of an unknown word; a YAML parser held to JSON's values does.
async function jsonPosition(message: string, text: string): Promise<Position | undefined> {
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? [];
  if (line !== undefined) return { line: Number(line), column: Number(column) };
  if (message.startsWith("Unexpected end")) {
    const lines = text.split("\n");
    return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  }
  const { parseDocument } = await import("../core/yaml.ts");
  const at = parseDocument(text, { schema: "json" }).errors[0]?.linePos?.[0];
  return at && { line: at.line, column: at.col };
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
