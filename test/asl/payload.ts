import type { JsonValue } from "../../src/core/json.ts";
import { StateFailure } from "./state-failure.ts";

/** Most bytes of UTF-8 that an input, an output or a task's arguments may have as JSON. */
export const payloadBytes: number = 256 * 1024;

/** Whether JSON is within the limit of Step Functions. */
function fits(value: JsonValue): boolean {
  return Buffer.byteLength(JSON.stringify(value)) <= payloadBytes;
}

/**
 * Lets through what is within the limit.
 *
 * @param whose - state or task that the value comes from
 * @throws StateFailure `States.DataLimitExceeded`
 */
export function withinLimit(value: JsonValue, whose: string): JsonValue {
  if (fits(value)) return value;
  throw new StateFailure(
    "States.DataLimitExceeded",
    `The state/task '${whose}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
}
