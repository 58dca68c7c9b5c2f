import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { readVariables, record, type Branch, type Run } from "./branch.ts";
import type { Outcome, State } from "./definition.ts";
import { evaluate, evaluateTyped, EvaluationFailure, type Bindings, type FieldType } from "./evaluate.ts";
import { StateFailure } from "./state-failure.ts";

/** One stay in a state, retries included. */
export interface Visit<S extends State = State> {
  readonly run: Run;
  readonly name: string;
  readonly state: S;
  readonly input: JsonValue;
  readonly branch: Branch;
  /** Id of its `…StateEntered`. */
  readonly enteredId: number;
  /** Id of the event before it. */
  readonly beforeId: number;
  readonly enteredAt: number;
  retryCount: number;
}

/** What the body of a state came to. */
export interface Step {
  /** `$states.result`; the output when the state names no other. */
  readonly result?: JsonValue;
  /** Where `Assign` and `Output` are taken from. */
  readonly outcome: Outcome;
  /** Where that stands, for messages: `Choices[0]/`; empty for the state itself. */
  readonly at: string;
  readonly next: string | undefined;
}

/** What expressions see in addition: `$states.result`, `$states.errorOutput`, a part of the context object. */
export interface Extras {
  readonly result?: JsonValue;
  readonly errorOutput?: JsonObject;
  readonly context?: JsonObject;
}

const retryable: ReadonlySet<string> = new Set(["Task", "Map", "Parallel"]);

/**
 * Evaluates a template in a visit.
 *
 * @throws StateFailure `States.QueryEvaluationError`, which has been recorded
 */
export function evaluateIn(
  visit: Visit,
  template: JsonValue,
  location: string,
  extras: Extras = {},
): Promise<JsonValue> {
  return guarded(visit, () => evaluate(template, location, bindingsOf(visit, extras)));
}

/** Evaluates a field that must be of a type; see {@link evaluateIn}. */
export function evaluateTypedIn(
  visit: Visit,
  field: JsonValue,
  type: FieldType,
  location: string,
  extras: Extras = {},
): Promise<JsonValue> {
  return guarded(visit, () => evaluateTyped(field, type, location, bindingsOf(visit, extras)));
}

/**
 * Evaluates a number within limits.
 *
 * @returns undefined when the state does not have the field
 * @throws StateFailure `States.QueryEvaluationError`, which has been recorded
 */
export async function evaluateNumberIn(
  visit: Visit,
  field: JsonValue | undefined,
  location: string,
  { type = "integer", least = 0, most = Infinity }: { type?: "integer" | "number"; least?: number; most?: number },
): Promise<number | undefined> {
  if (field === undefined) return undefined;
  const value = Number(await evaluateTypedIn(visit, field, type, location));
  if (value >= least && value <= most) return value;
  const range = most === Infinity ? `${least} or more` : `between ${least} and ${most}`;
  return refuse(visit, location, `The ${location} field must be ${range}, but was: ${value}`);
}

/** Fails a visit because a value does not fit its field. */
export function refuse(visit: Visit, location: string | undefined, message: string): never {
  throw recordEvaluationFailure(visit, new EvaluationFailure(location, message));
}

/** AWS's words for a failure that the interpreter of a machine has in a state. */
export function inState({ name, enteredId }: Visit, message: string): string {
  return `An error occurred while executing the state '${name}' (entered at the event id #${enteredId}). ${message}`;
}

async function guarded(visit: Visit, work: () => Promise<JsonValue>): Promise<JsonValue> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof EvaluationFailure ? recordEvaluationFailure(visit, error) : error;
  }
}

function recordEvaluationFailure(visit: Visit, { location, message }: EvaluationFailure): StateFailure {
  const failure = new StateFailure("States.QueryEvaluationError", inState(visit, message));
  record(visit.run, visit.branch, "EvaluationFailed", {
    cause: failure.explanation,
    error: failure.error,
    ...(location === undefined ? {} : { location }),
    state: visit.name,
  });
  return failure;
}

function bindingsOf(visit: Visit, { result, errorOutput, context }: Extras): Bindings {
  const { run, branch, input } = visit;
  return {
    states: {
      input,
      context: { ...contextObject(visit), ...context },
      ...(result === undefined ? {} : { result }),
      ...(errorOutput === undefined ? {} : { errorOutput }),
    },
    variables: readVariables(branch.scope),
    now: run.world.clock(),
    random: run.world.random,
  };
}

function contextObject({ run, name, state, branch, enteredAt, retryCount }: Visit): JsonObject {
  const { arn, name: executionName, startedAt, plan, redriveCount } = run.execution;
  return {
    Execution: {
      Id: arn,
      Input: plan.input,
      Name: executionName,
      RoleArn: plan.roleArn,
      StartTime: startedAt.toISOString(),
      RedriveCount: redriveCount,
    },
    StateMachine: { Id: plan.machineArn, Name: plan.machineName },
    State: {
      Name: name,
      EnteredTime: new Date(enteredAt).toISOString(),
      ...(retryable.has(state.Type) ? { RetryCount: retryCount } : {}),
    },
    ...branch.context,
  };
}
