import type { Execution, HistoryEvent } from "../../aws/step-functions.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Arns } from "./arns.ts";
import { seconds } from "./operation.ts";

/** What showing an event takes besides the event. */
export interface EventSetting {
  readonly execution: Execution;
  /** Of the machine's map state. */
  readonly label: string | undefined;
  readonly arns: Arns;
  /** False leaves inputs and outputs out. */
  readonly includeExecutionData: boolean;
}

/** An event as Step Functions shows it. */
export function viewEvent({ id, previous, at, type, details }: HistoryEvent, setting: EventSetting): JsonObject {
  return {
    id,
    previousEventId: previous,
    timestamp: seconds(at),
    type,
    ...(details === undefined ? {} : { [detailsKey(type)]: viewDetails(type, details, setting) }),
  };
}

function detailsKey(type: string): string {
  if (type.endsWith("StateEntered")) return "stateEnteredEventDetails";
  if (type.endsWith("StateExited")) return "stateExitedEventDetails";
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}

function viewDetails(type: string, details: JsonObject, setting: EventSetting): JsonObject {
  const { arns, execution, label = "", includeExecutionData } = setting;
  const { input, output, mapRun, ...same } = details;
  return {
    ...same,
    ...(input !== undefined && includeExecutionData ? { input, inputDetails: { truncated: false } } : {}),
    ...(output !== undefined && includeExecutionData ? { output, outputDetails: { truncated: false } } : {}),
    ...(typeof mapRun === "string" ? { mapRunArn: arns.mapRun(execution.machine, label, mapRun) } : {}),
    ...(type === "ExecutionStarted" ? { roleArn: arns.role } : {}),
    ...(type === "TaskScheduled" ? { region: arns.region } : {}),
  };
}
