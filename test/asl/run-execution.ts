import { randomUUID } from "node:crypto";
import { createBranch, type Run } from "./branch.ts";
import type { Execution, ExecutionPlan, ExecutionStatus } from "./execution.ts";
import { createHistory, payloadDetails } from "./history.ts";
import { runStates } from "./run-states.ts";
import { failureDetails, StateFailure } from "./state-failure.ts";
import type { World } from "./world.ts";

/** Starts an execution; it runs by itself from here. */
export function beginExecution(world: World, plan: ExecutionPlan): Execution {
  const name = plan.name ?? randomUUID();
  const arn = `arn:${world.partition}:states:${world.region}:${world.account}:execution:${plan.machineName}:${name}`;
  const history = createHistory(world.clock);
  const controller = new AbortController();
  const finished = Promise.withResolvers<void>();
  // Whoever waits for the end hears of it; others need not.
  finished.promise.catch(() => undefined);

  const end = (status: ExecutionStatus, fields: Partial<Execution> = {}): void => {
    Object.assign(execution, { status, stoppedAt: new Date(world.clock()), ...fields });
    controller.abort(new StateFailure(undefined, "The execution has ended"));
    finished.resolve();
  };
  const execution: Execution = {
    arn,
    name,
    plan,
    startedAt: new Date(world.clock()),
    history,
    status: "RUNNING",
    stop: (error, cause) => {
      if (execution.status !== "RUNNING") return;
      const details = failureDetails(new StateFailure(error, cause));
      history.end("ExecutionAborted", 0, { ...details });
      end("ABORTED", details);
    },
    finished: finished.promise,
  };
  world.executions.set(arn, execution);

  const run = async (): Promise<void> => {
    history.add("ExecutionStarted", 0, { ...payloadDetails("input", plan.input), roleArn: plan.roleArn });
    const branch = createBranch(controller.signal, {});
    const own: Run = {
      world,
      execution,
      runStates: (sequence, input, branch) => runStates(own, sequence, input, branch),
    };
    try {
      const output = await runStates(own, plan.sequence, plan.input, branch);
      if (execution.status !== "RUNNING") return;
      history.end("ExecutionSucceeded", branch.previous, payloadDetails("output", output));
      end("SUCCEEDED", { output });
    } catch (error) {
      if (execution.status !== "RUNNING") return;
      if (!(error instanceof StateFailure)) return finished.reject(error);
      const details = failureDetails(error);
      history.end("ExecutionFailed", branch.previous, { ...details });
      end("FAILED", details);
    }
  };
  const timeLimit = async (seconds: number): Promise<void> => {
    await world.wait(seconds * 1000, controller.signal);
    if (execution.status !== "RUNNING") return;
    history.end("ExecutionTimedOut", 0, {});
    end("TIMED_OUT");
  };
  void run();
  // The wait is given up when the execution ends before.
  if (plan.timeoutSeconds !== undefined) timeLimit(plan.timeoutSeconds).catch(() => undefined);
  return execution;
}
