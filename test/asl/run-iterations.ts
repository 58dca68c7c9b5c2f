import type { JsonValue } from "../../src/core/json.ts";
import { createBranch, record, recordAborted, type Branch } from "./branch.ts";
import type { MapState } from "./definition.ts";
import { recordMapSucceeded, selectItem } from "./map-items.ts";
import type { Visit } from "./visit.ts";

// What AWS allows when the machine sets no limit.
const inlineConcurrency = 40;

/**
 * Runs the items of an inline map, a few at a time and the next as soon as one ends; the first that fails ends the others.
 *
 * @param concurrency - 0: as many as AWS allows
 * @returns outputs in the order of the items
 */
export async function runIterations(
  visit: Visit<MapState>,
  items: readonly JsonValue[],
  concurrency: number,
): Promise<JsonValue> {
  const { run, name, state, branch } = visit;
  const others = new AbortController();
  const signal = AbortSignal.any([branch.signal, others.signal]);
  const iterations = new Map<number, Branch>();
  const outputs: JsonValue[] = [];
  const started = branch.previous;
  let last = started;
  let next = 0;

  // A place goes on in the history where its last iteration ended.
  const place = async (): Promise<void> => {
    let previous = started;
    while (next < items.length) {
      const index = next;
      next += 1;
      const own = createBranch(signal, { previous, outer: branch.scope, context: mapContext(items, index) });
      iterations.set(index, own);
      record(run, own, "MapIterationStarted", { index, name });
      try {
        const input = await selectItem({ ...visit, branch: own }, items[index] ?? null, index);
        outputs[index] = await run.runStates(state.ItemProcessor, input, own);
        previous = own.previous;
        last = record(run, own, "MapIterationSucceeded", { index, name });
        iterations.delete(index);
      } catch (error) {
        if (!signal.aborted) cutOff(error, own, index);
        throw error;
      }
    }
  };
  const cutOff = (error: unknown, own: Branch, failed: number): void => {
    branch.previous = own.previous;
    others.abort(error);
    const indexes = [...iterations.keys()];
    recordAborted(run, [...iterations.values()], own, (_, position) => {
      const index = indexes[position] ?? 0;
      const type = index === failed ? "MapIterationFailed" : "MapIterationAborted";
      run.execution.history.add(type, own.previous, { index, name });
    });
  };
  const places = Math.min(concurrency === 0 ? inlineConcurrency : concurrency, items.length);
  await Promise.all(Array.from({ length: places }, place));
  branch.previous = last;
  recordMapSucceeded(visit, last);
  return outputs;
}

function mapContext(items: readonly JsonValue[], index: number) {
  return { Map: { Item: { Index: index, Value: items[index] ?? null } } };
}
