import { nearest } from "../core/schema.ts";

/**
 * Which column most likely holds each field of the agent's input: the same name, else the same words in another spelling, else
 * one that contains the other, else a name that is near. No column is suggested twice.
 *
 * @returns columns by field; a field without a likely column is absent
 */
export function suggestMapping(fields: readonly string[], columns: readonly string[]): ReadonlyMap<string, string> {
  const free = new Set(columns);
  const found = new Map<string, string>();
  const ways: ((field: string, column: string) => boolean)[] = [
    (field, column) => field === column,
    (field, column) => squeeze(field) === squeeze(column),
    (field, column) => containsWords(column, field) || containsWords(field, column),
  ];
  const take = (field: string, column: string | undefined): void => {
    if (column === undefined) return;
    found.set(field, column);
    free.delete(column);
  };
  // The surer way goes first for all fields, so that a guess never takes the column of a sure one.
  for (const fits of ways) {
    for (const field of fields) {
      if (!found.has(field))
        take(
          field,
          [...free].find((column) => fits(field, column)),
        );
    }
  }
  for (const field of fields) {
    if (!found.has(field)) take(field, nearest(field, free));
  }
  return found;
}

function squeeze(name: string): string {
  return wordsOf(name).join("");
}

function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

function containsWords(whole: string, part: string): boolean {
  const words = wordsOf(whole);
  const wanted = wordsOf(part);
  return wanted.length > 0 && wanted.every((word) => words.includes(word));
}
