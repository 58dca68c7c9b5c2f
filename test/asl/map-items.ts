import type { JsonValue } from "../../src/core/json.ts";
import { recordAside } from "./branch.ts";
import type { MapState } from "./definition.ts";
import { evaluateIn, type Visit } from "./visit.ts";

/**
 * What each item's run gets: the item, or what `ItemSelector` makes of it.
 *
 * @throws StateFailure
 */
export async function selectItem(visit: Visit<MapState>, item: JsonValue, index: number): Promise<JsonValue> {
  const { ItemSelector } = visit.state;
  if (ItemSelector === undefined) return item;
  return evaluateIn(visit, ItemSelector, "ItemSelector", { context: { Map: { Item: { Index: index, Value: item } } } });
}

/** Records the end of a Map state's work. */
export function recordMapSucceeded({ run, branch }: Visit<MapState>, after: number): void {
  const { previous } = branch;
  branch.previous = after;
  recordAside(run, branch, "MapStateSucceeded");
  branch.previous = previous;
}
