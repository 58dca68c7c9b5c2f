import { isDeepStrictEqual } from "node:util";
import type { JsonValue } from "../../src/core/json.ts";
import type { Execution } from "./execution.ts";
import { payloadBytes } from "./payload.ts";
import type { World } from "./world.ts";

/** An error of Step Functions' own API; its name is the error's type. */
export class SfnError extends Error {
  constructor(type: string, message: string) {
    super(message);
    this.name = type;
  }
}

/** What StartExecution takes. */
export interface StartRequest {
  readonly stateMachineArn: string;
  readonly name?: string;
  /** JSON text. @default `{}` */
  readonly input?: string;
  /** @default now */
  readonly startedAt?: Date;
}

const namePattern = /^[^\s?*<>{}[\]:;,\\|^~$#%&`"/\u0000-\u001f\u007f-\u009f]{1,80}$/;

/**
 * Starts an execution as StartExecution does: a running one of the same name and input is taken for the same.
 *
 * @throws SfnError `InvalidName`, `InvalidExecutionInput`, `StateMachineDoesNotExist`, `ExecutionAlreadyExists`
 */
export function startNamed(world: World, { stateMachineArn, name, input = "{}", startedAt }: StartRequest): Execution {
  const machine = world.machines.get(stateMachineArn);
  if (machine === undefined)
    throw new SfnError("StateMachineDoesNotExist", `State Machine Does Not Exist: '${stateMachineArn}'`);
  if (name !== undefined && !namePattern.test(name)) throw new SfnError("InvalidName", `Invalid Name: '${name}'`);
  const value = parseInput(input);
  const arn = `${stateMachineArn.replace(":stateMachine:", ":execution:")}:${name}`;
  const before = name === undefined ? undefined : world.executions.get(arn);
  if (before?.status === "RUNNING" && isDeepStrictEqual(before.plan.input, value)) return before;
  if (before !== undefined) throw new SfnError("ExecutionAlreadyExists", `Execution Already Exists: '${arn}'`);
  const { definition } = machine;
  return world.begin({
    machineArn: machine.arn,
    machineName: machine.name,
    roleArn: machine.roleArn,
    sequence: definition,
    input: value,
    ...(definition.TimeoutSeconds === undefined ? {} : { timeoutSeconds: definition.TimeoutSeconds }),
    ...(name === undefined ? {} : { name }),
    ...(startedAt === undefined ? {} : { startedAt }),
  });
}

function parseInput(input: string): JsonValue {
  const bytes = Buffer.byteLength(input);
  if (bytes > payloadBytes)
    throw new SfnError("ValidationException", `The input has ${bytes} bytes, more than ${payloadBytes}`);
  try {
    return JSON.parse(input) as JsonValue;
  } catch (error) {
    throw new SfnError("InvalidExecutionInput", `Invalid State Machine Execution Input: '${(error as Error).message}'`);
  }
}
