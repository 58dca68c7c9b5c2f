import type { ActivityQueue } from "../../src/core/activity.ts";
import type { AwsSettings } from "../../src/aws/aws.ts";
import type { Clock } from "../../src/core/services.ts";
import { createAwsClients } from "./aws-clients.ts";
import type { Execution, ExecutionStatus } from "./execution.ts";
import type { HistoryEvent } from "./history.ts";
import { beginExecution } from "./run-execution.ts";
import { loadDefinition } from "./load-definition.ts";
import { describeMapRun, type MapRun, type MapRunDescription } from "./map-run.ts";
import { SfnError, startNamed, type StartRequest } from "./start-execution.ts";
import type { Wait } from "./virtual-clock.ts";
import type { Connection, LambdaHandler, Place, World } from "./world.ts";

/** What an interpreter is made of. */
export interface InterpreterOptions {
  /** Definitions in Amazon States Language, by the machine's name; checked at once. */
  readonly machines: Readonly<Record<string, unknown>>;
  /** Functions in place of Lambda's, by name or ARN. */
  readonly lambdas?: Readonly<Record<string, LambdaHandler>>;
  /** Queues that the machines' activities are on. */
  readonly activities?: ActivityQueue;
  /** Where S3, SNS and DynamoDB are: addresses of emulators, with made-up credentials. */
  readonly aws?: AwsSettings;
  /** What EventBridge connections add to HTTP requests, by ARN. */
  readonly connections?: Readonly<Record<string, Connection>>;
  readonly clock: Clock;
  readonly wait: Wait;
  /** @default `() => 0.5` */
  readonly random?: () => number;
  /** @default partition `aws`, region `eu-west-1`, account `123456789012` */
  readonly place?: Place;
  /** Role of all machines. */
  readonly roleArn?: string;
  /** Most bytes of one file of a ResultWriter; a small number makes several. @default 8 MiB */
  readonly resultFileBytes?: number;
  /** Told of each event of each execution as it happens. */
  readonly onEvent?: (executionArn: string, event: HistoryEvent) => void;
}

/** An execution as DescribeExecution gives it. */
export interface ExecutionDescription {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: Date;
  readonly stopDate?: Date;
  /** JSON text. */
  readonly input: string;
  readonly inputDetails: { readonly included: true };
  /** JSON text. */
  readonly output?: string;
  readonly outputDetails?: { readonly included: true };
  readonly error?: string;
  readonly cause?: string;
  readonly mapRunArn?: string;
  readonly redriveCount: number;
  readonly redriveStatus: "REDRIVABLE" | "NOT_REDRIVABLE";
  readonly redriveStatusReason?: string;
}

/** Limits as UpdateMapRun takes them. */
export interface MapRunChange {
  readonly maxConcurrency?: number;
  readonly toleratedFailureCount?: number;
  readonly toleratedFailurePercentage?: number;
}

/** Step Functions in one process, as far as our own machines need it. */
export interface Interpreter {
  /** ARN of a machine by its name. */
  arnOf(machine: string): string;
  /** @throws SfnError */
  startExecution(request: StartRequest): { readonly executionArn: string; readonly startDate: Date };
  /** @throws SfnError `ExecutionDoesNotExist` */
  describeExecution(executionArn: string): ExecutionDescription;
  /** Waits for an execution's end; rejected when the interpreter itself could not go on. */
  finished(executionArn: string): Promise<ExecutionDescription>;
  /** Ends an execution and its children; nothing happens to one that has ended. */
  stopExecution(executionArn: string, error?: string, cause?: string): void;
  /**
   * Goes on with an execution that was ended before its time, in the state that it was in; of a Map Run only what has not succeeded.
   *
   * @throws SfnError `ExecutionDoesNotExist`, `ExecutionNotRedrivable`
   */
  redriveExecution(executionArn: string): void;
  /** All events of an execution. */
  history(executionArn: string): readonly HistoryEvent[];
  /** A Map Run as it stands. */
  mapRun(mapRunArn: string): MapRunDescription;
  /** A Map Run by the last part of its ARN. */
  findMapRun(id: string): MapRunDescription | undefined;
  /** Changes limits of a Map Run that is going. */
  updateMapRun(mapRunArn: string, change: MapRunChange): void;
  /** Map Runs of an execution, in the order they were started. */
  listMapRuns(executionArn: string): readonly MapRunDescription[];
  /** Executions of a machine, or children of a Map Run, in the order they were started. */
  listExecutions(of: { stateMachineArn: string } | { mapRunArn: string }): readonly ExecutionDescription[];
  /** Calls of services, handlers and workers that have not come back. */
  callsUnderWay(): number;
  /** Stops what runs, and ends connections. */
  close(): Promise<void>;
}

/**
 * Makes an interpreter of state machines in JSONata.
 *
 * @throws DefinitionError when a definition has anything that it does not run
 */
export function createInterpreter(options: InterpreterOptions): Interpreter {
  const place = options.place ?? { partition: "aws", region: "eu-west-1", account: "123456789012" };
  const roleArn = options.roleArn ?? `arn:${place.partition}:iam::${place.account}:role/machines`;
  const arnOf = (name: string): string =>
    `arn:${place.partition}:states:${place.region}:${place.account}:stateMachine:${name}`;
  let calls = 0;
  const world: World = {
    ...place,
    machines: new Map(
      Object.entries(options.machines).map(([name, definition]) => [
        arnOf(name),
        { arn: arnOf(name), name, roleArn, definition: loadDefinition(name, definition) },
      ]),
    ),
    lambdas: options.lambdas ?? {},
    activities: options.activities,
    aws: createAwsClients(options.aws, place.region),
    connections: options.connections ?? {},
    resultFileBytes: options.resultFileBytes ?? 8 * 1024 * 1024,
    clock: options.clock,
    wait: options.wait,
    random: options.random ?? (() => 0.5),
    onEvent: options.onEvent ?? (() => {}),
    executions: new Map(),
    mapRuns: new Map(),
    begin: (plan) => beginExecution(world, plan),
    outside: async (signal, work) => {
      calls += 1;
      try {
        return await untilAborted(signal, work());
      } finally {
        calls -= 1;
      }
    },
  };
  const find = (arn: string): Execution => {
    const execution = world.executions.get(arn);
    if (execution === undefined) throw new SfnError("ExecutionDoesNotExist", `Execution Does Not Exist: '${arn}'`);
    return execution;
  };
  const findMapRun = (arn: string): MapRun => {
    const run = world.mapRuns.get(arn);
    if (run === undefined) throw new SfnError("ResourceNotFound", `Map Run not found: '${arn}'`);
    return run;
  };
  return {
    arnOf,
    startExecution: (request) => {
      const { arn, startedAt } = startNamed(world, request);
      return { executionArn: arn, startDate: startedAt };
    },
    describeExecution: (arn) => describe(find(arn)),
    finished: async (arn) => {
      await find(arn).finished;
      return describe(find(arn));
    },
    stopExecution: (arn, error, cause) => find(arn).stop(error, cause),
    redriveExecution: (arn) => {
      const { redriveStatusReason: reason } = describe(find(arn));
      if (reason !== undefined) throw new SfnError("ExecutionNotRedrivable", reason);
      find(arn).redrive();
    },
    history: (arn) => find(arn).history.events,
    mapRun: (arn) => describeMapRun(findMapRun(arn)),
    findMapRun: (id) => {
      const run = [...world.mapRuns.values()].findLast(({ arn }) => arn.endsWith(`:${id}`));
      return run && describeMapRun(run);
    },
    updateMapRun: (arn, { maxConcurrency, toleratedFailureCount: count, toleratedFailurePercentage: percentage }) => {
      const run = findMapRun(arn);
      run.maxConcurrency = maxConcurrency ?? run.maxConcurrency;
      run.tolerance = { count: count ?? run.tolerance.count, percentage: percentage ?? run.tolerance.percentage };
      run.heed?.();
    },
    listMapRuns: (arn) => [...world.mapRuns.values()].filter((run) => run.executionArn === arn).map(describeMapRun),
    listExecutions: (of) =>
      [...world.executions.values()]
        .filter(({ plan }) =>
          "mapRunArn" in of ? plan.mapRunArn === of.mapRunArn : plan.machineArn === of.stateMachineArn,
        )
        .map(describe),
    callsUnderWay: () => calls,
    close: async () => {
      for (const execution of world.executions.values()) execution.stop();
      await world.aws.close();
    },
  };
}

function describe(execution: Execution): ExecutionDescription {
  const { arn, name, plan, status, startedAt, stoppedAt, output, error, cause, redriveCount } = execution;
  const reason = status === "RUNNING" || status === "SUCCEEDED";
  return {
    executionArn: arn,
    stateMachineArn: plan.machineArn,
    name,
    status,
    startDate: startedAt,
    ...(stoppedAt === undefined ? {} : { stopDate: stoppedAt }),
    input: JSON.stringify(plan.input),
    inputDetails: { included: true },
    ...(output === undefined ? {} : { output: JSON.stringify(output), outputDetails: { included: true } }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    ...(plan.mapRunArn === undefined ? {} : { mapRunArn: plan.mapRunArn }),
    redriveCount,
    ...(reason
      ? { redriveStatus: "NOT_REDRIVABLE", redriveStatusReason: `Execution is ${status} and cannot be redriven` }
      : { redriveStatus: "REDRIVABLE" }),
  };
}

function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
