import type { JsonObject, JsonValue } from "../../core/json.ts";

/**
 * The value at a dotted path. Where the path meets a list it goes on in every item, so `offers.down` is the list of all
 * items' `down`.
 */
export function lookUp(path: string, scope: JsonObject): JsonValue | undefined {
  let values: readonly (JsonValue | undefined)[] = [scope];
  let spread = false;
  for (const key of path.split(".")) {
    values = values.flatMap((value) => {
      if (!Array.isArray(value)) return [step(value, key)];
      spread = true;
      return value.map((item: JsonValue) => step(item, key));
    });
  }
  return spread ? values.filter((value) => value !== undefined) : values[0];
}

function step(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as JsonObject)[key]
    : undefined;
}
