import { randomUUID } from "node:crypto";
import { createBranch, type Run } from "./branch.ts";
import type { Execution, ExecutionPlan, ExecutionStatus, Position } from "./execution.ts";
import { createHistory, payloadDetails } from "./history.ts";
import { runStates } from "./run-states.ts";
import { failureDetails, StateFailure } from "./state-failure.ts";
import type { World } from "./world.ts";

type End = PromiseWithResolvers<void>;

// Whoever waits for the end hears of it; others need not.
function createEnd(): End {
  const end = Promise.withResolvers<void>();
  end.promise.catch(() => undefined);
  return end;
}

/** Starts an execution; it runs by itself from here. */
export function beginExecution(world: World, plan: ExecutionPlan): Execution {
  const name = plan.name ?? randomUUID();
  const arn = `arn:${world.partition}:states:${world.region}:${world.account}:execution:${plan.machineName}:${name}`;
  const history = createHistory(world.clock, (event) => world.onEvent(arn, event));
  let controller = new AbortController();
  let finished = createEnd();

  const end = (status: ExecutionStatus, fields: Partial<Execution> = {}): void => {
    Object.assign(execution, { status, stoppedAt: new Date(world.clock()), ...fields });
    controller.abort(new StateFailure(undefined, "The execution has ended"));
    finished.resolve();
  };
  const execution: Execution = {
    arn,
    name,
    plan,
    startedAt: plan.startedAt ?? new Date(world.clock()),
    history,
    status: "RUNNING",
    stop: (error, cause) => {
      if (execution.status !== "RUNNING") return;
      const details = failureDetails(new StateFailure(error, cause));
      history.end("ExecutionAborted", 0, { ...details });
      end("ABORTED", details);
    },
    redriveCount: plan.redriveCount ?? 0,
    finished: finished.promise,
    redrive: () => {
      const { position } = execution;
      controller = new AbortController();
      finished = createEnd();
      execution.redriveCount += 1;
      Object.assign(execution, { status: "RUNNING", finished: finished.promise });
      for (const field of ["stoppedAt", "output", "error", "cause"] as const) delete execution[field];
      history.add("ExecutionRedriven", 0, { redriveCount: execution.redriveCount });
      void run(controller, finished, position);
    },
  };
  world.executions.set(arn, execution);

  const run = async (own: AbortController, ended: End, from?: Position): Promise<void> => {
    if (from === undefined)
      history.add("ExecutionStarted", 0, { ...payloadDetails("input", plan.input), roleArn: plan.roleArn });
    const branch = createBranch(own.signal, {});
    Object.assign(branch.scope.variables, from?.variables);
    const isOver = (): boolean => own.signal.aborted || execution.status !== "RUNNING";
    const sequence = from === undefined ? plan.sequence : { ...plan.sequence, StartAt: from.state };
    const self: Run = {
      world,
      execution,
      runStates: (sequence, input, branch) => runStates(self, sequence, input, branch),
    };
    try {
      const output = await runStates(self, sequence, from?.input ?? plan.input, branch);
      if (isOver()) return;
      history.end("ExecutionSucceeded", branch.previous, payloadDetails("output", output));
      end("SUCCEEDED", { output });
    } catch (error) {
      if (isOver()) return;
      if (!(error instanceof StateFailure)) return ended.reject(error);
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
  void run(controller, finished);
  // The wait is given up when the execution ends before.
  if (plan.timeoutSeconds !== undefined) timeLimit(plan.timeoutSeconds).catch(() => undefined);
  return execution;
}
