import type { JsonObject, JsonValue } from "../../src/core/json.ts";

/** A value, or JSONata that yields it. */
export type Dynamic<T> = T | string;

/** A retrier of `Retry`. */
export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: "FULL" | "NONE";
  readonly Comment?: string;
}

/** What may follow a state: variables, output. */
export interface Outcome {
  readonly Assign?: JsonObject;
  readonly Output?: JsonValue;
}

/** A catcher of `Catch`. */
export interface Catcher extends Outcome {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly Comment?: string;
}

/** A rule of a Choice state. */
export interface ChoiceRule extends Outcome {
  readonly Condition: Dynamic<boolean>;
  readonly Next: string;
  readonly Comment?: string;
}

interface Common {
  readonly Comment?: string;
  readonly QueryLanguage?: "JSONata";
}

interface Going extends Common, Outcome {
  readonly Next?: string;
  readonly End?: true;
}

interface Failing {
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

/** A Task state. */
export interface TaskState extends Going, Failing {
  readonly Type: "Task";
  readonly Resource: string;
  readonly Arguments?: JsonValue;
  readonly TimeoutSeconds?: Dynamic<number>;
  readonly HeartbeatSeconds?: Dynamic<number>;
}

/** A Pass state. */
export interface PassState extends Going {
  readonly Type: "Pass";
}

/** A Choice state; `Assign` and `Output` are for its `Default`. */
export interface ChoiceState extends Common, Outcome {
  readonly Type: "Choice";
  readonly Choices: readonly ChoiceRule[];
  readonly Default?: string;
}

/** A Wait state. */
export interface WaitState extends Going {
  readonly Type: "Wait";
  readonly Seconds?: Dynamic<number>;
  readonly Timestamp?: string;
}

/** A Parallel state. */
export interface ParallelState extends Going, Failing {
  readonly Type: "Parallel";
  readonly Branches: readonly Sequence[];
  readonly Arguments?: JsonValue;
}

/** A Succeed state. */
export interface SucceedState extends Common {
  readonly Type: "Succeed";
  readonly Output?: JsonValue;
}

/** A Fail state. */
export interface FailState extends Common {
  readonly Type: "Fail";
  readonly Error?: string;
  readonly Cause?: string;
}

/** Where a distributed map's items come from. */
export interface ItemReader {
  readonly Resource: string;
  readonly ReaderConfig: {
    readonly InputType: "JSON" | "JSONL" | "CSV";
    readonly CSVHeaderLocation?: "FIRST_ROW";
    readonly MaxItems?: Dynamic<number>;
  };
  readonly Arguments: JsonValue;
}

/** How a distributed map's items are put together into inputs of children. */
export interface ItemBatcher {
  readonly MaxItemsPerBatch?: Dynamic<number>;
  readonly MaxInputBytesPerBatch?: Dynamic<number>;
  readonly BatchInput?: JsonValue;
}

/** Where a distributed map's results go. */
export interface ResultWriter {
  readonly Resource: string;
  readonly Arguments: JsonValue;
  readonly WriterConfig?: { readonly Transformation: "NONE" | "COMPACT"; readonly OutputType: "JSON" | "JSONL" };
}

/** What is run for each item of a Map state. */
export interface ItemProcessor extends Sequence {
  readonly ProcessorConfig?: {
    readonly Mode: "INLINE" | "DISTRIBUTED";
    readonly ExecutionType?: "STANDARD" | "EXPRESS";
  };
}

/** A Map state. */
export interface MapState extends Going, Failing {
  readonly Type: "Map";
  readonly Items?: Dynamic<readonly JsonValue[]>;
  readonly ItemReader?: ItemReader;
  readonly ItemSelector?: JsonValue;
  readonly ItemBatcher?: ItemBatcher;
  readonly ItemProcessor: ItemProcessor;
  readonly ResultWriter?: ResultWriter;
  readonly MaxConcurrency?: Dynamic<number>;
  readonly ToleratedFailurePercentage?: Dynamic<number>;
  readonly ToleratedFailureCount?: Dynamic<number>;
  readonly Label?: string;
}

/** One state of a machine. */
export type State =
  | TaskState
  | PassState
  | ChoiceState
  | WaitState
  | ParallelState
  | MapState
  | SucceedState
  | FailState;

/** States that lead to one another: a machine, a branch, an item processor. */
export interface Sequence {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
  readonly Comment?: string;
}

/** A state machine in Amazon States Language, with JSONata throughout. */
export interface Machine extends Sequence {
  readonly QueryLanguage?: "JSONata";
  readonly TimeoutSeconds?: number;
  readonly Version?: string;
}

/** Whether a Map state runs its items as executions of their own. */
export function isDistributed(state: MapState): boolean {
  return state.ItemProcessor.ProcessorConfig?.Mode === "DISTRIBUTED";
}
