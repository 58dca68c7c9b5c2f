import type { AgentDefinition } from "../../core/agent.ts";
import type { JsonObject } from "../../core/json.ts";
import { referenceOf } from "../../core/registry.ts";

/** Name of the one state of a machine that runs batches. */
export const batchState = "ProcessRows";
/** Label of that state, which stands in the ARNs of its map runs. */
export const batchLabel = "rows";
/** Name of the one state of an agent's machine. */
export const agentState = "InvokeAgent";

/** What a machine that runs batches does, as a definition for people to read: Rowcall does it itself. */
export const batchDefinition: JsonObject = {
  Comment:
    "Runs an agent once for every row of a CSV and writes the CSV back, enriched. Rowcall does this itself: the definition says what, in the words of Step Functions.",
  QueryLanguage: "JSONata",
  StartAt: batchState,
  States: {
    [batchState]: {
      Type: "Map",
      Label: batchLabel,
      ItemReader: {
        Resource: "arn:aws:states:::s3:getObject",
        ReaderConfig: { InputType: "CSV", CSVHeaderLocation: "FIRST_ROW" },
        Arguments: { Uri: "{% $states.input.input_csv_s3_uri %}" },
      },
      MaxConcurrency: "{% $config.execution_config.max_concurrency %}",
      ToleratedFailurePercentage: "{% $config.execution_config.tolerated_failure_percentage %}",
      ItemProcessor: {
        ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
        StartAt: agentState,
        States: {
          [agentState]: {
            Type: "Task",
            Resource: "arn:aws:states:::rowcall:invokeAgent",
            TimeoutSeconds: "{% $config.execution_config.timeout_seconds %}",
            End: true,
          },
        },
      },
      ResultWriter: {
        Resource: "arn:aws:states:::s3:putObject",
        Arguments: { Prefix: "{% $states.input.output_s3_prefix %}" },
      },
      End: true,
    },
  },
};

/**
 * What an agent's machine does.
 *
 * @param timeoutSeconds - limit of the attempt
 */
export function agentDefinition(agent: AgentDefinition, timeoutSeconds: number): JsonObject {
  return {
    Comment: agent.description ?? `Runs the ${agent.kind} agent ${agent.agent_name} once.`,
    QueryLanguage: "JSONata",
    StartAt: agentState,
    States: {
      [agentState]: {
        Type: "Task",
        Resource: "arn:aws:states:::rowcall:invokeAgent",
        Arguments: { Agent: referenceOf(agent), Input: "{% $states.input %}" },
        TimeoutSeconds: timeoutSeconds,
        Retry: [{ ErrorEquals: ["INTERRUPTED"], IntervalSeconds: 1, MaxAttempts: 99_999_999, BackoffRate: 1 }],
        End: true,
      },
    },
  };
}
