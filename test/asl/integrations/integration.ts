import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import type { World } from "../world.ts";

/** A call of a service by a Task state. */
export interface TaskCall {
  readonly world: World;
  /** The state's `Arguments`, evaluated. */
  readonly arguments: JsonObject;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Tells the history that the service has begun what the state waits for. */
  submitted(output: JsonValue): void;
}

/** A service that Task states can call. */
export interface Integration {
  /** The end of `Resource`, after `arn:aws:states:::`. */
  readonly resource: string;
  /** As history events name it. */
  readonly resourceType: string;
  /** As history events name it. */
  readonly action: string;
  /** Keys of `Arguments`; those with true must be there. */
  readonly arguments: Readonly<Record<string, boolean>>;
  /** Whether children of a Map Run that are EXPRESS may use it. */
  readonly inExpress: boolean;
  /** @throws StateFailure when the service says no */
  call(task: TaskCall): Promise<JsonValue>;
}

/** What Step Functions adds to the answers of the services that it knows by itself. */
export function sdkMetadata(requestId: string): JsonObject {
  return {
    SdkHttpMetadata: { AllHttpHeaders: {}, HttpHeaders: {}, HttpStatusCode: 200 },
    SdkResponseMetadata: { RequestId: requestId },
  };
}

/** What is wrong with the keys of `Arguments`, as ends of a sentence about the state. */
export function argumentProblems({ arguments: known }: Integration, given: JsonObject): string[] {
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(known, key));
  const missing = Object.keys(known).filter((key) => known[key] === true && !Object.hasOwn(given, key));
  return [
    ...unknown.map((key) => `has an argument that is not known here: "${key}"`),
    ...missing.map((key) => `lacks the argument "${key}"`),
  ];
}
