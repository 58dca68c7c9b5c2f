import { expression, integration, type Definition, type State } from "./row-definition.ts";

/** How a browser agent's attempts are made: by a fleet of workers that poll an activity, or in a function. */
export type BrowserHost =
  | { readonly kind: "activity"; readonly activityArn: string; readonly heartbeatSeconds: number }
  | { readonly kind: "function"; readonly functionArn: string };

/** What an agent's definition refers to. */
export interface AgentReferences {
  readonly partition: string;
  /** Name of the agent in the registry. */
  readonly agent: string;
  /** ARN of the function that looks agent and template up. */
  readonly resolveArn: string;
  readonly host: BrowserHost;
}

/**
 * The state machine of one browser agent.
 *
 * Input: the agent's input, `{"building_number": …}`. A batch adds `_rowcall` with agent, templates, run, row, attempt, limits
 * and recording; alone, the newest active version in the registry is taken. Output: the agent's reply, `{"structured_output": …}`.
 * Fails with our error code, and the message and all that is known of the attempt as JSON.
 */
export function agentDefinition({ partition, agent, resolveArn, host }: AgentReferences): Definition {
  return {
    Comment: `Runs the browser agent ${agent} once`,
    QueryLanguage: "JSONata",
    StartAt: "Given",
    States: {
      Given: {
        Type: "Choice",
        Choices: [
          {
            Condition: expression("$exists($states.input._rowcall)"),
            Output: expression(`$merge([$states.input._rowcall, { "input": ${ownInput} }])`),
            Next: "RunBrowser",
          },
        ],
        Default: "ResolveAgent",
      },
      ResolveAgent: {
        Type: "Task",
        Resource: integration(partition, "lambda:invoke"),
        Arguments: {
          FunctionName: resolveArn,
          Payload: { agent, execution: expression("$states.context.Execution.Name"), input: expression(ownInput) },
        },
        Retry: [
          {
            ErrorEquals: [
              "Lambda.ServiceException",
              "Lambda.AWSLambdaException",
              "Lambda.SdkClientException",
              "Lambda.TooManyRequestsException",
            ],
            IntervalSeconds: 1,
            MaxAttempts: 6,
            BackoffRate: 2,
            JitterStrategy: "FULL",
          },
        ],
        Output: expression("$states.result.Payload"),
        Catch: [{ ErrorEquals: ["States.ALL"], Output: functionError, Next: "AgentFailed" }],
        Next: "RunBrowser",
      },
      RunBrowser: runBrowser(partition, host),
      AgentFailed: {
        Type: "Fail",
        Error: expression("$states.input.error"),
        Cause: expression("$states.input.cause"),
      },
    },
  };
}

// A run's bookkeeping is no business of the agent's.
const ownInput = `$merge([{}, $sift($states.input, function($v, $k) {
  $not($k in ["_rowcall", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"]) })])`;

// What a worker may need beyond the attempt's own limit: to upload the last recording.
const graceSeconds = 60;

function runBrowser(partition: string, host: BrowserHost): State {
  if (host.kind === "activity") {
    return {
      Type: "Task",
      Resource: host.activityArn,
      // Whoever asks for signs of life tells how often.
      Arguments: expression(`$merge([$states.input, { "heartbeat_seconds": ${host.heartbeatSeconds} }])`),
      HeartbeatSeconds: host.heartbeatSeconds,
      Catch: [
        {
          Comment: "There is no other limit here: a worker watches over the attempt's own.",
          ErrorEquals: ["States.HeartbeatTimeout", "States.Timeout"],
          Output: {
            error: "WORKER_LOST",
            cause: `{"message":"The worker showed no sign of life for ${host.heartbeatSeconds} s"}`,
          },
          Next: "AgentFailed",
        },
      ],
      End: true,
    };
  }
  return {
    Type: "Task",
    Resource: integration(partition, "lambda:invoke"),
    Arguments: { FunctionName: host.functionArn, Payload: expression("$states.input") },
    TimeoutSeconds: expression(`$ceil($states.input.timeout_seconds) + ${graceSeconds}`),
    Output: expression("$states.result.Payload"),
    Catch: [{ ErrorEquals: ["States.ALL"], Output: functionError, Next: "AgentFailed" }],
    End: true,
  };
}

// A function's error has its name, and the message within its cause.
const functionError = expression(`(
  $cause := $contains($states.errorOutput.Cause, /^\\s*\\{/) ? $parse($states.errorOutput.Cause) : {};
  {
    "error": $states.errorOutput.Error,
    "cause": $exists($cause.errorMessage) ? $cause.errorMessage : $states.errorOutput.Cause
  })`);
