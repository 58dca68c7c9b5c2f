import { nearest } from "./schema.ts";

/** A column that seems to hold a field of an agent's input. */
export interface SuggestedColumn {
  readonly field: string;
  /** Absent when no column seems to. */
  readonly column?: string;
}

/** Which column goes to which field: the one of the same words first, else the nearest that is left. */
export function suggestMapping(header: readonly string[], fields: readonly string[]): SuggestedColumn[] {
  const free = new Map(header.map((column) => [plain(column), column]));
  const take = (key: string | undefined): string | undefined => {
    const column = key === undefined ? undefined : free.get(key);
    if (key !== undefined) free.delete(key);
    return column;
  };
  const same = new Map(fields.map((field) => [field, free.has(plain(field)) ? take(plain(field)) : undefined]));
  return fields.map((field) => {
    const column = same.get(field) ?? take(nearest(plain(field), free.keys()));
    return column === undefined ? { field } : { field, column };
  });
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
}
