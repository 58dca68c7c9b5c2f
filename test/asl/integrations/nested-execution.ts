import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import type { Execution } from "../execution.ts";
import { SfnError, startNamed } from "../start-execution.ts";
import { StateFailure } from "../state-failure.ts";
import { sdkMetadata, type Integration } from "./integration.ts";
import { randomUUID } from "node:crypto";

/** `states:startExecution.sync:2`: runs another machine and waits for its end, which a parent that ends before brings about. */
export const nestedExecution: Integration = {
  resource: "states:startExecution.sync:2",
  resourceType: "states",
  action: "startExecution.sync:2",
  arguments: { StateMachineArn: true, Input: false, Name: false },
  inExpress: false,
  call: async ({ world, arguments: { StateMachineArn, Input, Name }, signal, submitted }) => {
    const child = started(() =>
      startNamed(world, {
        stateMachineArn: String(StateMachineArn),
        input: typeof Input === "string" ? Input : JSON.stringify(Input ?? {}),
        ...(Name === undefined ? {} : { name: String(Name) }),
      }),
    );
    submitted({ ExecutionArn: child.arn, ...sdkMetadata(randomUUID()), StartDate: child.startedAt.getTime() });
    const stop = (): void => child.stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await child.finished;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    if (child.status === "SUCCEEDED")
      return { ...described(child, child.plan.input), Output: child.output ?? null, OutputDetails: { Included: true } };
    throw new StateFailure("States.TaskFailed", JSON.stringify(described(child, JSON.stringify(child.plan.input))));
  },
};

function described(child: Execution, input: JsonValue): JsonObject {
  return {
    ...(child.cause === undefined ? {} : { Cause: child.cause }),
    ...(child.error === undefined ? {} : { Error: child.error }),
    ExecutionArn: child.arn,
    Input: input,
    InputDetails: { Included: true },
    Name: child.name,
    StartDate: child.startedAt.getTime(),
    StateMachineArn: child.plan.machineArn,
    Status: child.status,
    StopDate: child.stoppedAt?.getTime() ?? null,
  };
}

function started(start: () => Execution): Execution {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof SfnError)) throw error;
    throw new StateFailure(
      `StepFunctions.${error.name}Exception`,
      `${error.message} (Service: AWSStepFunctions; Status Code: 400; Error Code: ${error.name}; Request ID: ${randomUUID()}; Proxy: null)`,
    );
  }
}
