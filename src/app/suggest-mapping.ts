import { nearest } from "../core/schema.ts";

/** A column that seems to hold a field of an agent's input. */
export interface SuggestedColumn {
  readonly field: string;
  /** Absent when no column seems to. */
  readonly column?: string;
}

/**
 * Which column goes to which field: the same name, else the same words in another spelling, else one whose words contain the
 * other's, else a name that is near. No column is suggested twice, and a surer field goes first.
 */
export function suggestMapping(header: readonly string[], fields: readonly string[]): SuggestedColumn[] {
  const free = new Set(header);
  const found = new Map<string, string>();
  const ways: ((field: string) => string | undefined)[] = [
    (field) => [...free].find((column) => field === column),
    (field) => [...free].find((column) => plain(field) === plain(column)),
    (field) => [...free].find((column) => containsWords(column, field) || containsWords(field, column)),
    (field) => nearest(field, free),
  ];
  for (const way of ways) {
    for (const field of fields) {
      const column = found.has(field) ? undefined : way(field);
      if (column === undefined) continue;
      found.set(field, column);
      free.delete(column);
    }
  }
  return fields.map((field) => {
    const column = found.get(field);
    return column === undefined ? { field } : { field, column };
  });
}

function plain(name: string): string {
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
