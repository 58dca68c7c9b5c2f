import { z } from "zod";
import type { JsonObject } from "../../core/json.ts";
import type { StateMachine } from "../../app/state-machine.ts";
import { ApiError, validationError } from "./api-error.ts";
import { findExecution, findMachine } from "./find.ts";
import { isName } from "./arns.ts";
import { operation, seconds, type Endpoint, type Operation, type Operations } from "./operation.ts";
import { takeSlice, members } from "./read-request.ts";

/** State machines: they are listed and described; what they are comes from the registry. */
export function machineOperations(endpoint: Endpoint): Operations {
  const { machines, executions, arns } = endpoint;
  const described = (machine: StateMachine): JsonObject => ({
    stateMachineArn: arns.of("stateMachine", machine.name),
    name: machine.name,
    definition: JSON.stringify(machine.definition),
    roleArn: arns.role,
    loggingConfiguration: { level: "OFF", includeExecutionData: false },
    tracingConfiguration: { enabled: false },
  });
  return {
    ListStateMachines: operation(
      z.object({ maxResults: members.maxResults, nextToken: members.nextToken(1024) }),
      async (request) => {
        const all = (await machines.list()).filter(({ name }) => isName(name));
        const { items, nextToken } = await takeSlice(request, ["ListStateMachines"], all);
        const stateMachines = items.map(({ name }) => ({
          stateMachineArn: arns.of("stateMachine", name),
          name,
          type: "STANDARD",
          creationDate: seconds(executions.firstOffered(name)),
        }));
        return { stateMachines, nextToken };
      },
    ),
    DescribeStateMachine: operation(z.object({ stateMachineArn: members.arn }), async ({ stateMachineArn }) => {
      const machine = await findMachine(endpoint, stateMachineArn);
      const creationDate = seconds(executions.firstOffered(machine.name));
      return { ...described(machine), status: "ACTIVE", type: "STANDARD", creationDate };
    }),
    DescribeStateMachineForExecution: operation(z.object({ executionArn: members.arn }), async ({ executionArn }) => {
      const { machine: name } = findExecution(endpoint, executionArn);
      const machine = await findMachine(endpoint, arns.of("stateMachine", name));
      return { ...described(machine), updateDate: seconds(executions.firstOffered(name)) };
    }),
    StartSyncExecution: async () => {
      throw new ApiError(
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
      );
    },
    CreateStateMachine: refuse,
    UpdateStateMachine: refuse,
    DeleteStateMachine: refuse,
  };
}

const refuse: Operation = async () => {
  throw validationError(
    "Rowcall's state machines are its batch processor and the agents of its registry. Publish an agent to have one more: rowcall agents publish FILE",
  );
};
