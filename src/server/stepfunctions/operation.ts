import type { z } from "zod";
import type { ActivityQueue } from "../../core/activity.ts";
import type { Engine } from "../../core/engine.ts";
import type { Executions } from "../../app/state-machines/open-executions.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Clock } from "../../core/services.ts";
import type { StateMachines } from "../../app/state-machine.ts";
import type { Arns } from "./arns.ts";
import { readRequest } from "./read-request.ts";

/** What operations work with. */
export interface Endpoint {
  readonly machines: StateMachines;
  readonly executions: Executions;
  /** Knows the runs behind executions of batches. */
  readonly engine: Pick<Engine, "describe" | "limits" | "rows" | "adjust">;
  readonly activities: ActivityQueue;
  readonly arns: Arns;
  readonly clock: Clock;
  /** How long a worker is kept waiting for a task, in milliseconds. */
  readonly longPollMs: number;
  /** Aborted when the endpoint closes. */
  readonly closing: AbortSignal;
}

/** A request that is being answered. */
export interface Call {
  /** Aborted when the caller goes away, also while the answer is being sent. */
  readonly signal: AbortSignal;
}

/** Answers requests of one kind; members of an answer that are undefined are not sent. */
export type Operation = (body: unknown, call: Call) => Promise<JsonObject>;

/** Operations by the name that `X-Amz-Target` ends in. */
export type Operations = Readonly<Record<string, Operation>>;

/** An operation whose request is read with a schema. */
export function operation<T extends z.ZodType>(
  schema: T,
  answer: (request: z.output<T>, call: Call) => JsonObject | Promise<JsonObject>,
): Operation {
  return async (body, call) => answer(readRequest(schema, body), call);
}

/** A time as Step Functions writes it: seconds since 1970, with a fraction. */
export function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
