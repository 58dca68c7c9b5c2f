import type { ActivityQueue } from "../../src/core/activity.ts";
import type { JsonValue } from "../../src/core/json.ts";
import type { Clock } from "../../src/core/services.ts";
import type { AwsClients } from "./aws-clients.ts";
import type { Machine } from "./definition.ts";
import type { Execution, ExecutionPlan } from "./execution.ts";
import type { HistoryEvent } from "./history.ts";
import type { MapRun } from "./map-run.ts";
import type { Wait } from "./virtual-clock.ts";

/** A function in place of one in Lambda. What it throws becomes a failure by the error's name. */
export type LambdaHandler = (
  payload: JsonValue,
  signal: AbortSignal,
) => Promise<JsonValue | undefined> | JsonValue | undefined;

/** What an EventBridge connection adds to each HTTP request. */
export interface Connection {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

/** The account that machines live in. */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** A machine that can be started. */
export interface LoadedMachine {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  readonly definition: Machine;
}

/** Everything that executions share. */
export interface World extends Place {
  /** By ARN. */
  readonly machines: ReadonlyMap<string, LoadedMachine>;
  /** By name or ARN. */
  readonly lambdas: Readonly<Record<string, LambdaHandler>>;
  readonly activities: ActivityQueue | undefined;
  readonly aws: AwsClients;
  /** By ARN. */
  readonly connections: Readonly<Record<string, Connection>>;
  /** Most bytes of one file of a ResultWriter. */
  readonly resultFileBytes: number;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly random: () => number;
  /** By ARN, in the order they were started. */
  readonly executions: Map<string, Execution>;
  /** By ARN. */
  readonly mapRuns: Map<string, MapRun>;
  /** Told of each event as it happens. */
  onEvent(executionArn: string, event: HistoryEvent): void;
  /** Starts an execution; it runs by itself from there. */
  begin(plan: ExecutionPlan): Execution;
  /** Does work that something outside of the interpreter ends; virtual time stands still meanwhile. */
  outside<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}
