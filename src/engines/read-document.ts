import { messageOf, RowcallError, type ErrorCode } from "../core/errors.ts";

/**
 * Reads a JSON document, or a YAML one when its name ends in `.yaml` or `.yml`.
 *
 * @param name - where the text is from; its ending decides the format
 * @param what - what it is, for messages: `batch file broadband.json`
 * @throws RowcallError with `code`; `details.line` and `details.column`, both 1-based, say where
 */
export async function readDocument(text: string, name: string, code: ErrorCode, what: string): Promise<unknown> {
  return /\.ya?ml$/i.test(name) ? readYaml(text, code, what) : readJson(text, code, what);
}

async function readYaml(text: string, code: ErrorCode, what: string): Promise<unknown> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error === undefined) return document.toJS();
  const at = error.linePos?.[0];
  const message = error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? "";
  throw syntaxError(code, what, "YAML", message, at && { line: at.line, column: at.col }, error);
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
  const { parseDocument } = await import("yaml");
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
