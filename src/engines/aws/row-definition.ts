import type { JsonObject, JsonValue } from "../../core/json.ts";

/** A state machine's definition in Amazon States Language. */
export interface Definition {
  readonly Comment: string;
  readonly QueryLanguage: "JSONata";
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** One state; its fields are those of the language. */
export type State = JsonObject & { readonly Type: string };

/** A JSONata expression as a field's value; the result takes its place. */
export function expression(jsonata: string): string {
  return `{% ${jsonata.replace(/\s+/g, " ").trim()} %}`;
}

/** A text in JSONata. */
export function literal(value: JsonValue): string {
  return JSON.stringify(value);
}

/** Calls of services that Step Functions offers itself, in the partition of the machine. */
export function integration(partition: string, name: string): string {
  return `arn:${partition}:states:::${name}`;
}

/** How rows reach their agent: each way has a map state of its own, so that a row costs no transition for choosing. */
export const rowTargets = ["state_machine", "function"] as const;
/** One of {@link rowTargets}. */
export type RowTarget = (typeof rowTargets)[number];

/** What every row's execution is told of its batch, beside the row itself; Prepare writes it. */
export interface RowSettings {
  readonly run_id: string;
  /** ARN of a state machine, or name or ARN of a function. */
  readonly target: string;
  /** Longest time of an attempt as Step Functions counts it: waiting for a worker included. */
  readonly task_timeout_seconds: number;
  readonly retry: {
    /** Retries after the first attempt. */
    readonly max_attempts: number;
    readonly interval_seconds: number;
    readonly backoff_rate: number;
    readonly max_delay_seconds: number;
    readonly full_jitter: boolean;
    /** Error codes after which a row is tried again. */
    readonly codes: readonly string[];
    /** How many workers a row may lose before it is given up. */
    readonly max_losses: number;
  };
  /** Whether the reply itself must hold structured output; elsewhere Finish takes it from where the agent says. */
  readonly needs_output: boolean;
  /** Passed to the agent's state machine as `_rowcall`; absent for agents that are not ours. */
  readonly context?: JsonObject;
}

/**
 * The processor of one row: an attempt, and a loop of waiting and trying again whose limits come from the batch, which `Retry` cannot
 * take. A row that succeeds costs one transition beyond its start. One that fails ends its execution as failed, with our code as
 * error and all that is known as cause, so that the map's counts tell the truth while it runs.
 *
 * Input: `{ row, input, attempt, failures, losses, batch }`.
 */
export function rowDefinition(partition: string, target: RowTarget): Pick<Definition, "StartAt" | "States"> {
  const named = namesFor(target);
  return {
    StartAt: named.attempt,
    States: {
      [named.attempt]: target === "state_machine" ? startAgent(partition, named) : invokeFunction(partition, named),
      [named.decide]: {
        Type: "Choice",
        Choices: [
          {
            Comment: "A worker that was lost says nothing about the row.",
            Condition: expression(
              `$states.input.error.code = "WORKER_LOST" and $states.input.losses < $states.input.batch.retry.max_losses`,
            ),
            Output: nextAttempt,
            Next: named.attempt,
          },
          {
            Condition: expression(`
              $states.input.error.code in $states.input.batch.retry.codes
              and $states.input.error.code != "WORKER_LOST" and $not($exists($states.input.error.final))
              and $states.input.failures <= $states.input.batch.retry.max_attempts`),
            Next: named.backOff,
          },
        ],
        Default: named.rowFailed,
      },
      [named.backOff]: {
        Type: "Wait",
        Seconds: expression(`(
          $retry := $states.input.batch.retry;
          $grown := $retry.interval_seconds * $power($retry.backoff_rate, $states.input.failures - 1);
          $wait := $min([$grown, $retry.max_delay_seconds]);
          $asked := $exists($states.input.error.retry_after_ms) ? $states.input.error.retry_after_ms / 1000 : 0;
          $round($min([$max([$retry.full_jitter ? $wait * $random() : $wait, $asked]), $retry.max_delay_seconds])))`),
        Output: nextAttempt,
        Next: named.attempt,
      },
      [named.rowFailed]: {
        Type: "Fail",
        Error: expression("$states.input.error.code"),
        Cause: expression(
          "$string($merge([$sift($states.input.error, function($v, $k) { $k != 'code' }), { 'attempt_number': $states.input.attempt }]))",
        ),
      },
    },
  };
}

interface StateNames {
  readonly attempt: string;
  readonly decide: string;
  readonly backOff: string;
  readonly rowFailed: string;
}

// A state's name may be there once in a whole state machine, whose two maps have the same states.
function namesFor(target: RowTarget): StateNames {
  const suffix = target === "state_machine" ? "" : "ByFunction";
  return {
    attempt: `Attempt${suffix}`,
    decide: `Decide${suffix}`,
    backOff: `BackOff${suffix}`,
    rowFailed: `RowFailed${suffix}`,
  };
}

const nextAttempt = expression(`$merge([
  $sift($states.input, function($v, $k) { $k != "error" }),
  { "attempt": $states.input.attempt + 1 }])`);

function startAgent(partition: string, { decide }: StateNames): State {
  return attempt({
    Resource: integration(partition, "states:startExecution.sync:2"),
    Arguments: {
      StateMachineArn: expression("$states.input.batch.target"),
      // A name is used once: an attempt that is asked for again finds what it began. A redriven row begins anew.
      Name: expression(`
        $states.input.batch.run_id & "-" & $string($states.input.row) & "-" & $string($states.input.attempt)
        & ($states.context.Execution.RedriveCount > 0 ? "-r" & $string($states.context.Execution.RedriveCount) : "")`),
      Input: expression(`$merge([
        $states.input.input,
        $exists($states.input.batch.context)
          ? { "_rowcall": $merge([$states.input.batch.context, { "row": $states.input.row, "attempt": $states.input.attempt }]) }
          : {},
        { "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": $states.context.Execution.Id }])`),
    },
    reply: "$states.result.Output",
    error: executionError,
    decide,
  });
}

function invokeFunction(partition: string, { decide }: StateNames): State {
  return attempt({
    Resource: integration(partition, "lambda:invoke"),
    Arguments: {
      FunctionName: expression("$states.input.batch.target"),
      Payload: expression("$states.input.input"),
    },
    reply: "$states.result.Payload",
    error: functionError,
    decide,
  });
}

interface AttemptParts {
  readonly Resource: string;
  readonly Arguments: JsonObject;
  /** JSONata of the agent's reply. */
  readonly reply: string;
  /** JSONata of what went wrong, as `{ code, message, … }`. */
  readonly error: string;
  /** State that decides what comes after a failure. */
  readonly decide: string;
}

function attempt({ Resource, Arguments, reply, error, decide }: AttemptParts): State {
  return {
    Type: "Task",
    Resource,
    Arguments,
    TimeoutSeconds: expression("$states.input.batch.task_timeout_seconds"),
    Retry: [busyServices],
    // A reply without structured output is an error here already, so that the row can be tried again.
    Output: expression(`(
      $reply := ${reply};
      $not($states.input.batch.needs_output) or ${hasOutput("$reply")} ? {
        "row": $states.input.row,
        "attempt": $states.input.attempt,
        "started_at": ${enteredAt},
        "ended_at": $millis(),
        "reply": $reply
      } : $error("no structured output"))`),
    Catch: [
      {
        ErrorEquals: ["States.ALL"],
        Output: expression(`(
          $error := ${error};
          $lost := $error.code = "WORKER_LOST";
          $merge([$states.input, {
            "failures": $states.input.failures + ($lost ? 0 : 1),
            "losses": $states.input.losses + ($lost ? 1 : 0),
            "error": $merge([{ "started_at": ${enteredAt}, "ended_at": $millis() }, $error])
          }]))`),
        Next: decide,
      },
    ],
    End: true,
  };
}

/**
 * JSONata that says whether a reply holds structured output where `createExtractor` looks for it, or names an object that does.
 *
 * @param reply - JSONata of the reply
 */
export function hasOutput(reply: string): string {
  return `(
    $in := function($place) {
      $type($place) = "object" and $exists($place.structured_output) and $place.structured_output != null
        ? $place.structured_output };
    $open := function($wrapped) {
      $type($wrapped) = "string" ? ($contains($wrapped, /^\\s*\\{/) ? $parse($wrapped)) : $wrapped };
    $itself := $in(${reply});
    $wrapped := $exists($itself) ? $itself : $type(${reply}) = "object" ? $in($open(${reply}.Output));
    $found := $exists($wrapped) ? $wrapped : $type(${reply}) = "object" ? $in(${reply}.content);
    $type($found) = "object" or $type(${reply}.reply_uri) = "string")`;
}

const enteredAt = "$toMillis($states.context.State.EnteredTime)";

// Nothing has begun when a service refuses for being busy, so this costs the row none of its attempts.
const busyServices: JsonObject = {
  ErrorEquals: [
    "StepFunctions.ThrottlingException",
    "StepFunctions.ExecutionLimitExceededException",
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
  ],
  IntervalSeconds: 1,
  MaxAttempts: 10,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  JitterStrategy: "FULL",
};

// What Step Functions itself says of an attempt, whatever kind of agent it was.
const commonErrors = `
  $states.errorOutput.Error = "States.Timeout" ? { "code": "TIMEOUT", "message": "Execution timeout" } :
  $states.errorOutput.Error = "States.QueryEvaluationError"
    ? { "code": "OUTPUT_MISSING", "message": "Agent did not return structured output" } :
  $states.errorOutput.Error = "States.DataLimitExceeded"
    ? { "code": "AGENT_FAILED", "message": "The reply is larger than the 256 KiB that Step Functions passes on" }`;

// A Fail state takes 32,768 characters of cause.
const longestCause = 20_000;

// The cause of a nested execution that did not succeed is its description, in which its own error and cause stand. What they say is
// put into words by Finish; here only what they mean.
const executionError = `(
  $read := function($text) { $type($text) = "string" and $contains($text, /^\\s*\\{/) ? $parse($text) : {} };
  $execution := $read($states.errorOutput.Cause);
  $own := $read($execution.Cause);
  $isOwn := $type($own.message) = "string" and $contains($execution.Error, /^[A-Z][A-Z_]+$/);
  $said := {
    "error": $exists($execution.Status) ? $execution.Error : $states.errorOutput.Error,
    "cause": $substring($exists($execution.Status) ? $execution.Cause : $states.errorOutput.Cause, 0, ${longestCause})
  };
  ${commonErrors} :
  $execution.Status = "TIMED_OUT" ? { "code": "TIMEOUT", "message": "Execution timeout" } :
  $execution.Status = "ABORTED" ? $merge([$said, { "code": "AGENT_FAILED", "final": true }]) :
  $isOwn ? $merge([$own, { "code": $execution.Error }]) :
  $execution.Error = "States.Timeout" ? { "code": "TIMEOUT", "message": "Execution timeout" } :
  $merge([$said, { "code": "AGENT_FAILED" }]))`;

const functionError = `(
  ${commonErrors} :
  {
    "code": "AGENT_FAILED",
    "error": $states.errorOutput.Error,
    "cause": $substring($states.errorOutput.Cause, 0, ${longestCause})
  })`;
