import { Dashboard, GraphWidget, PeriodOverride, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { BatchProcessor } from "./batch-processor-stack.ts";
import type { BroadbandAgent } from "./broadband-agent-stack.ts";
import { executions, functionMetric, tasks, unsuccessfulShare, waiting } from "./metrics.ts";
import type { Settings } from "./settings.ts";

/** Creates the dashboard: runs, attempts, workers, functions. */
export function createDashboard({ stage }: Settings, agent: BroadbandAgent, batches: BatchProcessor): void {
  const functions = [batches.prepare, batches.finish, agent.resolve];
  if (agent.browser.kind === "function") functions.push(agent.browser.run);
  const ofFunctions = (what: "Duration" | "Errors" | "Throttles", statistic: "Sum" | "Maximum"): readonly IMetric[] =>
    functions.map(({ name }) => functionMetric(name, what, statistic));
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
        graph("Functions: longest duration, ms", ofFunctions("Duration", "Maximum")),
        graph("Functions: errors", ofFunctions("Errors", "Sum")),
        graph("Functions: throttled", ofFunctions("Throttles", "Sum")),
      ],
    ],
  });
}

function executionsOf(machineArn: string): readonly IMetric[] {
  return (["Started", "Succeeded", "Failed", "TimedOut", "Aborted"] as const).map((what) =>
    executions(machineArn, what),
  );
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
