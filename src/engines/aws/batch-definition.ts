import {
  expression,
  integration,
  literal,
  type Definition,
  type State,
  rowDefinition,
  rowTargets,
  type RowTarget,
} from "./row-definition.ts";

/** What the batch processor's definition refers to. */
export interface BatchReferences {
  readonly partition: string;
  /** ARNs of the functions. */
  readonly prepareArn: string;
  readonly finishArn: string;
  /** Told of runs whose batch could not even be read. */
  readonly defaultTopicArn: string;
}

/** Label of the map of rows, part of its map runs' ARNs. */
const rowsLabel = "ProcessRows";

/**
 * The state machine `batch-processor-{stage}`: Prepare, a distributed map over the rows, Finish, Notify.
 *
 * Input: the original product's execution input. Whatever goes wrong is told, names its cause, and leaves in S3 what was done.
 */
export function batchDefinition(references: BatchReferences): Definition {
  const { partition, prepareArn, finishArn, defaultTopicArn } = references;
  const maps = rowTargets.map((target) => [mapName(target), rowsMap(partition, target)] as const);
  return {
    Comment: "Runs an agent once for every row of a CSV and writes the CSV back, enriched",
    QueryLanguage: "JSONata",
    StartAt: "Prepare",
    States: {
      Prepare: {
        Type: "Task",
        Comment: "Reads and checks batch, agent and table; stages the rows",
        Resource: integration(partition, "lambda:invoke"),
        Arguments: {
          FunctionName: prepareArn,
          Payload: {
            execution: expression("$states.context.Execution.Id"),
            started_at: expression("$toMillis($states.context.Execution.StartTime)"),
            input: expression("$states.input"),
          },
        },
        Retry: [functionTrouble],
        Assign: { plan: expression("$states.result.Payload"), stopped: null },
        Output: {},
        Catch: [
          {
            ErrorEquals: ["States.ALL"],
            Assign: broken("Prepare", literal(defaultTopicArn)),
            Output: {},
            Next: "Told",
          },
        ],
        Next: "Prepared",
      },
      Prepared: {
        Type: "Choice",
        Choices: [
          { Condition: expression("$exists($plan.end)"), Assign: { end: expression("$plan.end") }, Next: "Told" },
          { Condition: expression("$plan.rows = 0"), Next: "Finish" },
          ...rowTargets.map((target) => ({
            Condition: expression(`$plan.target = "${target}"`),
            Next: mapName(target),
          })),
        ],
        Default: "Finish",
      },
      ...Object.fromEntries(maps),
      Finish: {
        Type: "Task",
        Comment: "Puts results in order, writes the enriched table",
        Resource: integration(partition, "lambda:invoke"),
        Arguments: {
          FunctionName: finishArn,
          Payload: {
            run: expression("$plan.run"),
            stopped: expression("$stopped"),
          },
        },
        Retry: [functionTrouble],
        Assign: { end: expression("$states.result.Payload") },
        Output: {},
        Catch: [
          {
            ErrorEquals: ["States.ALL"],
            Assign: broken(
              "Finish",
              `$exists($plan.notification_topic) ? $plan.notification_topic : ${literal(defaultTopicArn)}`,
            ),
            Output: {},
            Next: "Told",
          },
        ],
        Next: "Told",
      },
      Told: {
        Type: "Choice",
        Choices: [{ Condition: expression("$exists($end.notification.TopicArn)"), Next: "Notify" }],
        Default: "Ended",
      },
      Notify: {
        Type: "Task",
        Resource: integration(partition, "sns:publish"),
        Arguments: expression("$end.notification"),
        Retry: [
          { ErrorEquals: ["States.ALL"], IntervalSeconds: 2, MaxAttempts: 4, BackoffRate: 2, JitterStrategy: "FULL" },
        ],
        Output: {},
        Catch: [
          {
            Comment: "A message that cannot be sent is no failure of the run.",
            ErrorEquals: ["States.ALL"],
            Output: {},
            Next: "Ended",
          },
        ],
        Next: "Ended",
      },
      Ended: {
        Type: "Choice",
        Choices: [{ Condition: expression("$exists($end.error)"), Next: "RunFailed" }],
        Default: "RunSucceeded",
      },
      RunSucceeded: { Type: "Succeed", Output: expression("$end.output") },
      RunFailed: { Type: "Fail", Error: expression("$end.error"), Cause: expression("$end.cause") },
    },
  };
}

function mapName(target: RowTarget): string {
  return target === "state_machine" ? rowsLabel : "ProcessRowsByFunction";
}

function rowsMap(partition: string, target: RowTarget): State {
  return {
    Type: "Map",
    Label: mapName(target),
    ItemReader: {
      Resource: integration(partition, "s3:getObject"),
      ReaderConfig: { InputType: "JSONL" },
      Arguments: { Bucket: expression("$plan.bucket"), Key: expression("$plan.rows_key") },
    },
    ItemSelector: {
      row: expression("$states.context.Map.Item.Value.row"),
      input: expression("$states.context.Map.Item.Value.input"),
      attempt: expression("$states.context.Map.Item.Value.attempt"),
      failures: 0,
      losses: 0,
      batch: expression("$plan.batch"),
    },
    ItemProcessor: {
      ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
      ...rowDefinition(partition, target),
    },
    MaxConcurrency: expression("$plan.max_concurrency"),
    ToleratedFailurePercentage: expression("$plan.tolerated_failure_percentage"),
    ToleratedFailureCount: expression("$plan.tolerated_failure_count"),
    ResultWriter: {
      Resource: integration(partition, "s3:putObject"),
      Arguments: { Bucket: expression("$plan.bucket"), Prefix: expression("$plan.results_prefix") },
      WriterConfig: { OutputType: "JSONL", Transformation: "COMPACT" },
    },
    Output: {},
    Catch: [
      {
        Comment: "What was done until then is written all the same.",
        ErrorEquals: ["States.ALL"],
        Assign: { stopped: expression("$states.errorOutput") },
        Output: {},
        Next: "Finish",
      },
    ],
    Next: "Finish",
  };
}

// Only for what the functions themselves could not put into words: a crash, a time limit, missing permissions. The topic is JSONata.
function broken(where: string, topic: string): { readonly end: string } {
  return {
    end: expression(`(
      $cause := $contains($states.errorOutput.Cause, /^\\s*\\{/) ? $parse($states.errorOutput.Cause) : {};
      $said := $exists($cause.errorMessage) ? $cause.errorMessage : $states.errorOutput.Cause;
      $text := $contains($said, /^\\s*\\{/) ? $parse($said).message : $said;
      $topic := ${topic};
      {
        "error": $states.errorOutput.Error,
        "cause": "${where}: " & $text,
        "notification": {
          "TopicArn": $topic,
          "Subject": "Rowcall batch failed in ${where}",
          "Message": $states.context.Execution.Id & "\\n" & $states.errorOutput.Error & ": " & $text
        }
      })`),
  };
}

const functionTrouble = {
  ErrorEquals: [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
  ],
  IntervalSeconds: 2,
  MaxAttempts: 6,
  BackoffRate: 2,
  JitterStrategy: "FULL",
};
