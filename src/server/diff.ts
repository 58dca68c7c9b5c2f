import { isJsonObject, type JsonValue } from "../core/json.ts";

/** One place in which two JSON values differ; `before` or `after` is absent where the place is only in the other. */
export interface Difference {
  /** `["steps", 2, "selector"]`; empty for the whole. */
  readonly path: readonly (string | number)[];
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** Where two JSON values differ, in the order of the first; list entries are compared by their place. */
export function diffJson(before: JsonValue | undefined, after: JsonValue | undefined): Difference[] {
  return differences([], before, after);
}

function differences(
  path: readonly (string | number)[],
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): Difference[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, fresh] = [before as readonly JsonValue[], after as readonly JsonValue[]];
    return Array.from({ length: Math.max(old.length, fresh.length) }).flatMap((_, i) =>
      differences([...path, i], old[i], fresh[i]),
    );
  }
  if (isJsonObject(before) && isJsonObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differences([...path, key], before[key], after[key]));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}
