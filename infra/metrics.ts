import { Duration } from "aws-cdk-lib";
import { MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";

/** Metrics are counted and alarms decided in steps of this length. */
export const period: Duration = Duration.minutes(5);

/** How many executions of a state machine ended, or began, in some way. */
export function executions(
  machineArn: string,
  what: "Started" | "Succeeded" | "Failed" | "TimedOut" | "Aborted",
): Metric {
  return new Metric({
    namespace: "AWS/States",
    metricName: `Executions${what}`,
    dimensionsMap: { StateMachineArn: machineArn },
    statistic: "Sum",
    period,
    label: what,
  });
}

/** Executions that ended in any way but well. */
export function unsuccessful(machineArn: string): MathExpression {
  return new MathExpression({
    expression: "FILL(failed, 0) + FILL(timedOut, 0) + FILL(aborted, 0)",
    usingMetrics: {
      failed: executions(machineArn, "Failed"),
      timedOut: executions(machineArn, "TimedOut"),
      aborted: executions(machineArn, "Aborted"),
    },
    label: "Unsuccessful",
    period,
  });
}

/** Share of executions that ended unsuccessfully, in percent; no data while none ends. */
export function unsuccessfulShare(machineArn: string): MathExpression {
  return new MathExpression({
    expression:
      "100 * (FILL(failed, 0) + FILL(timedOut, 0) + FILL(aborted, 0)) / (FILL(succeeded, 0) + FILL(failed, 0) + FILL(timedOut, 0) + FILL(aborted, 0))",
    usingMetrics: {
      succeeded: executions(machineArn, "Succeeded"),
      failed: executions(machineArn, "Failed"),
      timedOut: executions(machineArn, "TimedOut"),
      aborted: executions(machineArn, "Aborted"),
    },
    label: "Unsuccessful, %",
    period,
  });
}

/** A metric of a function; durations are in milliseconds. */
export function functionMetric(
  functionName: string,
  metricName: "Errors" | "Duration" | "Throttles",
  statistic: "Sum" | "Maximum",
): Metric {
  return new Metric({
    namespace: "AWS/Lambda",
    metricName,
    dimensionsMap: { FunctionName: functionName },
    statistic,
    period,
    label: functionName,
  });
}

/** How many tasks of an activity were put on its queue, taken by a worker, or lost by one. */
export function tasks(
  activityArn: string,
  what: "Scheduled" | "Started" | "Succeeded" | "Failed" | "HeartbeatTimedOut",
): Metric {
  return new Metric({
    namespace: "AWS/States",
    metricName: `Activities${what}`,
    dimensionsMap: { ActivityArn: activityArn },
    statistic: "Sum",
    period,
    label: what,
  });
}

/** How long tasks of an activity waited for a worker, in milliseconds. */
export function waiting(activityArn: string, statistic: string): Metric {
  return new Metric({
    namespace: "AWS/States",
    metricName: "ActivityScheduleTime",
    dimensionsMap: { ActivityArn: activityArn },
    statistic,
    period,
    label: `Waiting, ${statistic}`,
  });
}
