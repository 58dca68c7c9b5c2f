import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { ItemBatcher, MapState } from "./definition.ts";
import type { MapChild } from "./map-run.ts";
import { payloadBytes } from "./payload.ts";
import { evaluateIn, evaluateNumberIn, type Visit } from "./visit.ts";

/** Puts items together: as many as either limit lets, and at least one. */
export async function batchItems(
  visit: Visit<MapState>,
  { MaxItemsPerBatch, MaxInputBytesPerBatch, BatchInput }: ItemBatcher,
  items: readonly JsonValue[],
): Promise<readonly MapChild[]> {
  const limit = (field: JsonValue | undefined, name: string, most: number) =>
    evaluateNumberIn(visit, field, `ItemBatcher/${name}`, { least: 1, most });
  const most = (await limit(MaxItemsPerBatch, "MaxItemsPerBatch", 99_999_999)) ?? Infinity;
  const bytes = (await limit(MaxInputBytesPerBatch, "MaxInputBytesPerBatch", payloadBytes)) ?? payloadBytes;
  const shared: JsonObject =
    BatchInput === undefined ? {} : { BatchInput: await evaluateIn(visit, BatchInput, "ItemBatcher/BatchInput") };
  const overhead = size({ ...shared, Items: [] });
  const batches: JsonValue[][] = [];
  let used = 0;
  for (const item of items) {
    const batch = batches.at(-1);
    const grown = used + size(item) + 1;
    if (batch !== undefined && batch.length < most && grown <= bytes) {
      batch.push(item);
      used = grown;
    } else {
      batches.push([item]);
      used = overhead + size(item);
    }
  }
  return batches.map((batch) => ({ input: { ...shared, Items: batch }, items: batch.length }));
}

function size(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}
