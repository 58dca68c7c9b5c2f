import {
  Alarm,
  ComparisonOperator,
  MathExpression,
  TreatMissingData,
  type IAlarmAction,
  type IMetric,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import type { BatchProcessor } from "./batch-processor-stack.ts";
import type { BroadbandAgent } from "./broadband-agent-stack.ts";
import { longestTimeout, type OwnFunction } from "./lambda-function.ts";
import { functionMetric, period, tasks, unsuccessful, unsuccessfulShare } from "./metrics.ts";
import { arnOf } from "./names.ts";
import type { Storage } from "./storage-stack.ts";

interface Watch {
  readonly metric: IMetric;
  /** What has happened, and what to look at. */
  readonly description: string;
  readonly above: number;
  /** Periods in a row. @default 1 */
  readonly periods?: number;
}

/** Creates the alarms; all of them tell the topic of alarms. */
export function createAlarms({ names }: Storage, agent: BroadbandAgent, batches: BatchProcessor): void {
  const action: IAlarmAction = { bind: () => ({ alarmActionArn: arnOf("sns", names.alarmTopic) }) };
  const alarm = (scope: Construct, id: string, { metric, description, above, periods = 1 }: Watch): void => {
    new Alarm(scope, id, {
      metric,
      alarmDescription: description,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(action);
  };

  alarm(batches.stack, "RunsFailed", {
    metric: unsuccessful(batches.machine.arn),
    description: "A batch failed, was stopped or timed out. Its notification and its execution say why.",
    above: 0,
  });
  alarm(agent.stack, "AttemptsFailed", {
    metric: unsuccessfulShare(agent.machine.arn),
    description: "More than half of the attempts of rows fail: the site may have changed, or refuse the browsers.",
    above: 50,
    periods: 3,
  });
  for (const [scope, one] of functionsOf(agent, batches)) watchFunction(scope, one, alarm);
  if (agent.browser.kind === "activity") watchActivity(agent.stack, agent.browser.activityArn, alarm);
}

type CreateAlarm = (scope: Construct, id: string, watch: Watch) => void;

function functionsOf(agent: BroadbandAgent, batches: BatchProcessor): readonly (readonly [Construct, OwnFunction])[] {
  return [
    [batches.stack, batches.prepare],
    [batches.stack, batches.finish],
    [agent.stack, agent.resolve],
    ...(agent.browser.kind === "function" ? [[agent.stack, agent.browser.run] as const] : []),
  ];
}

function watchFunction(scope: Construct, { id, name, timeout }: OwnFunction, alarm: CreateAlarm): void {
  alarm(scope, `${id}Errors`, {
    metric: functionMetric(name, "Errors", "Sum"),
    description: `The function ${id} ended with errors. Its log says which.`,
    above: 0,
  });
  if (timeout !== longestTimeout) return;
  alarm(scope, `${id}Slow`, {
    metric: functionMetric(name, "Duration", "Maximum"),
    description: `The function ${id} comes near the 15 minutes that Lambda allows: split the table, or give it more memory.`,
    above: 0.9 * longestTimeout.toMilliseconds(),
  });
}

function watchActivity(scope: Construct, activityArn: string, alarm: CreateAlarm): void {
  const usingMetrics = { scheduled: tasks(activityArn, "Scheduled"), started: tasks(activityArn, "Started") };
  alarm(scope, "NoWorker", {
    metric: new MathExpression({
      expression: "IF(FILL(scheduled, 0) > 0 AND FILL(started, 0) == 0, 1, 0)",
      usingMetrics,
      label: "Nobody takes tasks",
      period,
    }),
    description: "Tasks wait and no worker takes any: start one with `rowcall worker`.",
    above: 0,
  });
  alarm(scope, "Backlog", {
    metric: new MathExpression({
      expression: "FILL(scheduled, 0) - FILL(started, 0)",
      usingMetrics,
      label: "More scheduled than started",
      period,
    }),
    description: "For half an hour more tasks came than workers took: start more workers, or lower max_concurrency.",
    above: 0,
    periods: 6,
  });
}
