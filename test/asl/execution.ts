import type { JsonValue } from "../../src/core/json.ts";
import type { Sequence } from "./definition.ts";
import type { History } from "./history.ts";

/** How an execution stands. */
export type ExecutionStatus = "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";

/** What is executed, and as what. */
export interface ExecutionPlan {
  readonly machineArn: string;
  readonly machineName: string;
  readonly roleArn: string;
  readonly sequence: Sequence;
  readonly timeoutSeconds?: number;
  /** @default a random UUID */
  readonly name?: string;
  readonly input: JsonValue;
  /** The Map Run that it is a child of. */
  readonly mapRunArn?: string;
  /** How often an item that did not succeed is done anew. @default 0 */
  readonly redriveCount?: number;
  /** @default now */
  readonly startedAt?: Date;
}

/** Where an execution stands: the state that it is in, with what that state was given. */
export interface Position {
  readonly state: string;
  readonly input: JsonValue;
  readonly variables: Readonly<Record<string, JsonValue>>;
}

/** One execution of a machine, or a child of a Map Run. */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly plan: ExecutionPlan;
  readonly startedAt: Date;
  readonly history: History;
  status: ExecutionStatus;
  stoppedAt?: Date;
  output?: JsonValue;
  error?: string;
  cause?: string;
  redriveCount: number;
  position?: Position;
  /** Ends it from outside; nothing happens when it has ended. */
  stop(error?: string, cause?: string): void;
  /** Fulfilled when it has ended in whatever way; rejected when the interpreter could not go on. */
  finished: Promise<void>;
  /** Goes on where it was ended before its time. */
  redrive(): void;
}
