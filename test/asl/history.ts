import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { StateFailure } from "./state-failure.ts";

/** An event as GetExecutionHistory gives it; its details stand under a key of their own, `stateEnteredEventDetails` and the like. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: Date;
  readonly type: string;
  readonly [details: string]: unknown;
}

/** Most events that an execution may have, its last one included. */
export const historyLimit = 25_000;

/** The history of one execution. */
export interface History {
  readonly events: readonly HistoryEvent[];
  /**
   * Adds an event.
   *
   * @returns its id, from 1
   * @throws StateFailure when only the place of the last event is left
   */
  add(type: string, previousEventId: number, details?: JsonObject): number;
  /** Adds the last event. */
  end(type: string, previousEventId: number, details?: JsonObject): void;
}

/** An empty history; `onEvent` is told of each event as it happens. */
export function createHistory(clock: () => number, onEvent: (event: HistoryEvent) => void = () => {}): History {
  const events: HistoryEvent[] = [];
  const append = (type: string, previousEventId: number, details?: JsonObject): number => {
    const id = events.length + 1;
    const timestamp = new Date(clock());
    const event = {
      id,
      previousEventId,
      timestamp,
      type,
      ...(details === undefined ? {} : { [detailsKey(type)]: details }),
    };
    events.push(event);
    onEvent(event);
    return id;
  };
  return {
    events,
    add: (type, previousEventId, details) => {
      if (events.length >= historyLimit - 1)
        throw new StateFailure(
          "States.Runtime",
          `The execution reached the maximum number of history events (${historyLimit}).`,
        );
      return append(type, previousEventId, details);
    },
    end: append,
  };
}

/** An input or output as details of events have it: `inputDetails` beside `input`. */
export function payloadDetails(name: "input" | "output", value: JsonValue): JsonObject {
  return { [name]: JSON.stringify(value), [`${name}Details`]: { truncated: false } };
}

function detailsKey(type: string): string {
  const [, visit] = /State(Entered|Exited)$/.exec(type) ?? [];
  if (visit !== undefined) return `state${visit}EventDetails`;
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}
