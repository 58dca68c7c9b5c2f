import type { Activity } from "../../core/activity.ts";
import type { Execution } from "../../runs/execution-journal.ts";
import type { StateMachine } from "../../app/state-machine.ts";
import { doesNotExist } from "./arns.ts";
import type { Endpoint } from "./operation.ts";

/**
 * The state machine of an ARN.
 *
 * @throws ApiError InvalidArn, StateMachineDoesNotExist
 */
export async function findMachine({ machines, arns }: Endpoint, arn: string): Promise<StateMachine> {
  const { name, isHere } = arns.read("stateMachine", arn);
  const found = await machines.find(name);
  if (found !== undefined && isHere) return found;
  throw doesNotExist("stateMachine", arn, found && arns.of("stateMachine", name));
}

/**
 * The execution of an ARN.
 *
 * @throws ApiError InvalidArn, ExecutionDoesNotExist
 */
export function findExecution({ executions, arns }: Endpoint, arn: string): Execution {
  const { name: path, isHere } = arns.read("execution", arn);
  const [machine = "", name = ""] = path.split(":");
  const found = executions.find({ machine, name });
  if (found !== undefined && isHere) return found;
  throw doesNotExist("execution", arn, found && arns.execution(found));
}

/** A map run: the run behind an execution. */
export interface MapRun {
  readonly execution: Execution;
  readonly label: string;
  readonly runId: string;
}

/**
 * The map run of an ARN.
 *
 * @throws ApiError InvalidArn, ResourceNotFound
 */
export async function findMapRun({ executions, machines, arns }: Endpoint, arn: string): Promise<MapRun> {
  const { name, isHere } = arns.read("mapRun", arn);
  const runId = name.slice(name.indexOf(":") + 1);
  const execution = executions.findByRun(runId);
  const label = execution && (await machines.find(execution.machine))?.mapLabel;
  if (execution === undefined || label === undefined) throw doesNotExist("mapRun", arn);
  const known = arns.mapRun(execution.machine, label, runId);
  if (!isHere || known !== arn) throw doesNotExist("mapRun", arn, known);
  return { execution, label, runId };
}

/**
 * The activity of an ARN.
 *
 * @throws ApiError InvalidArn, ActivityDoesNotExist
 */
export function findActivity({ activities, arns }: Endpoint, arn: string): Activity {
  const { name, isHere } = arns.read("activity", arn);
  const found = activities.findActivity(name);
  if (found !== undefined && isHere) return found;
  throw doesNotExist("activity", arn, found && arns.of("activity", name));
}
