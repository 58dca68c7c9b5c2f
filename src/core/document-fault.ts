import { RowcallError, type ErrorCode } from "./errors.ts";
import { losesDigits } from "./json.ts";

/** Something wrong in a document that has the right syntax. */
export interface DocumentFault {
  /** What is wrong, beginning with the key that it is at: `agent_config.id: …`. */
  readonly message: string;
  readonly hint: string;
  /** Where it is in the text, from 0; absent when that is not known. */
  readonly offset?: number;
}

/** Deeper than anything that is written by hand, and far from where recursion ends. */
export const maxLevels = 200;

/** A place in a text, both numbers from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The place of an offset. */
export function positionAt(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** A fault as an error. */
export function faultError(
  { message, hint, offset }: DocumentFault,
  text: string,
  code: ErrorCode,
  what: string,
  cause?: unknown,
): RowcallError {
  const at = offset === undefined ? undefined : positionAt(text, offset);
  const where = at === undefined ? "" : ` (line ${at.line}, column ${at.column})`;
  return new RowcallError(code, `The ${what} is not valid: ${message}${where}`, { hint, cause, details: { ...at } });
}

/** A key that a mapping has twice: one of the two values would be lost. */
export function givenTwice(key: string, offset: number): DocumentFault {
  return { message: `key "${key}" is given twice`, hint: "Keep one of the two.", offset };
}

/** A key that JavaScript's objects have already: what stands there would be lost on its way. */
export function lostKey(offset: number): DocumentFault {
  return {
    message: 'key "__proto__" would be lost',
    hint: 'Name it where it is a value: { "csv_column": "__proto__", "agent_input_field": "…" } in column_mappings.',
    offset,
  };
}

/** @param top - the key at the top of the document that it is below, empty when there is none */
export function nestedTooDeep(top: string, offset?: number): DocumentFault {
  return {
    message: `${top === "" ? "" : `${top}: `}nested deeper than ${maxLevels} levels`,
    hint: "Look for brackets that are never closed or were doubled.",
    offset,
  };
}

/**
 * A number that would not be what is written: too long for JavaScript, with a zero or a plus sign in front, or none of JSON's.
 *
 * @param path - the keys that lead to it
 * @param source - as it is written
 */
export function alteredNumber(
  path: readonly (string | number)[],
  value: number,
  source: string,
  offset: number,
): DocumentFault | undefined {
  const isAltered = losesDigits(value, source) || /^(?:[-+]?0\d|\+)/.test(source);
  if (!isAltered) return undefined;
  const key = path.length === 0 ? "" : `${path.join(".")}: `;
  return {
    message: `${key}${source} would be read as the number ${value}`,
    hint: `Put it into quotes to keep it as it is written: "${source}".`,
    offset,
  };
}
