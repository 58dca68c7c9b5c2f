import { Dashboard, GraphWidget, PeriodOverride, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { BatchProcessor } from "./batch-processor-stack.ts";
import type { BroadbandAgent } from "./broadband-agent-stack.ts";
import { executions, period, tasks, unsuccessfulShare, waiting } from "./metrics.ts";
import type { Settings } from "./settings.ts";

/** Creates the dashboard: runs, attempts, workers, functions. */
export function createDashboard({ stage }: Settings, agent: BroadbandAgent, batches: BatchProcessor): void {
  const functions = [batches.prepare, batches.finish, agent.resolve].map((one) => one.function);
  if (agent.browser.kind === "function") functions.push(agent.browser.run.function);
  new Dashboard(batches.stack, "Dashboard", {
    dashboardName: `rowcall-${stage}`,
    periodOverride: PeriodOverride.INHERIT,
    widgets: [
      [
        graph("Runs", executionsOf(batches.machine.arn)),
        graph("Attempts of rows", executionsOf(agent.machine.arn)),
        graph("Unsuccessful attempts", [unsuccessfulShare(agent.machine.arn)]),
      ],
      agent.browser.kind === "activity" ? workers(agent.browser.activityArn) : [],
      [
        graph("Functions: longest duration", functions.map((one) => one.metricDuration({ period, statistic: "Maximum" }))),
        graph("Functions: errors", functions.map((one) => one.metricErrors({ period }))),
        graph("Functions: throttled", functions.map((one) => one.metricThrottles({ period }))),
      ],
    ],
  });
}

function executionsOf(machineArn: string): readonly IMetric[] {
  return (["Started", "Succeeded", "Failed", "TimedOut", "Aborted"] as const).map((what) => executions(machineArn, what));
}

function workers(activityArn: string): GraphWidget[] {
  return [
    graph("Tasks of workers", [
      tasks(activityArn, "Scheduled"),
      tasks(activityArn, "Started"),
      tasks(activityArn, "Succeeded"),
      tasks(activityArn, "Failed"),
    ]),
    graph("Waiting for a worker, ms", [waiting(activityArn, "p50"), waiting(activityArn, "Maximum")]),
    graph("Workers lost", [tasks(activityArn, "HeartbeatTimedOut")]),
  ];
}

function graph(title: string, left: readonly IMetric[]): GraphWidget {
  return new GraphWidget({ title, left: [...left], width: 8, leftYAxis: { min: 0 } });
}
