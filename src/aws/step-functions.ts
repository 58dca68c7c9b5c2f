import { randomUUID } from "node:crypto";
import type { DescribeMapRunCommandOutput, ExecutionListItem, SFNClient } from "@aws-sdk/client-sfn";
import { awsError, awsClientConfig, parseArn, type AwsSettings } from "./aws.ts";
import { RowcallError } from "../core/errors.ts";
import type { RunLimits } from "../core/engine.ts";

/** Where an execution stands; the words are Step Functions' own. */
export type ExecutionStatus = "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";

/** An execution as it is listed. Times are milliseconds since 1970, UTC. */
export interface ListedExecution {
  readonly arn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startedAt: number;
  readonly stoppedAt?: number;
}

/** An execution as it is described. */
export interface DescribedExecution extends ListedExecution {
  /** JSON text. */
  readonly input: string;
  /** JSON text. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** What a distributed map does with its items. */
export interface DescribedMapRun {
  readonly maxConcurrency: number;
  /** How many items stand where. */
  readonly items: Readonly<Record<"pending" | "running" | "succeeded" | "failed" | "timedOut" | "aborted", number>>;
}

/**
 * One state machine of AWS Step Functions and its executions. Every method throws AWS_DENIED when the user has to correct something, and
 * AWS_FAILED when another try may go better.
 */
export interface StepFunctions {
  readonly stateMachineArn: string;
  /**
   * Starts an execution, or finds the one of that name and input that is running.
   *
   * @returns undefined when another execution has that name, or had it within the last 90 days
   */
  start(name: string, input: string): Promise<Pick<ListedExecution, "arn" | "startedAt"> | undefined>;
  /** Undefined when there is no such execution. */
  describe(arn: string): Promise<DescribedExecution | undefined>;
  /** The machine's executions, newest first, some hundreds at a time. */
  list(): AsyncIterable<readonly ListedExecution[]>;
  /** Executions of a map run's items that stand so, some hundreds at a time. */
  listItems(mapRunArn: string, status: "SUCCEEDED" | "FAILED"): AsyncIterable<readonly ListedExecution[]>;
  /** Ends an execution at once; one that has ended stays as it is. */
  stop(arn: string, error: string, cause: string): Promise<void>;
  /**
   * Goes on with an execution that was ended before its time.
   *
   * @returns false when that cannot be done any more
   */
  redrive(arn: string): Promise<boolean>;
  /** ARNs of an execution's map runs, oldest first. */
  mapRuns(executionArn: string): Promise<readonly string[]>;
  describeMapRun(arn: string): Promise<DescribedMapRun>;
  updateMapRun(arn: string, change: Partial<RunLimits>): Promise<void>;
  close(): void;
}

const pageSize = 1000;
const requestMs = 30_000;
// Beginning, looking and stopping twice changes nothing, and AWS allows few looks a second: the SDK waits and tries again.
const maxAttempts = 8;

/**
 * Opens a state machine over the API of Step Functions; nothing is called yet.
 *
 * @throws RowcallError USAGE_INVALID when the ARN is not that of a state machine
 */
export async function openStepFunctions(aws: AwsSettings, stateMachineArn: string): Promise<StepFunctions> {
  const { region, machine } = readMachineArn(stateMachineArn);
  const sdk = await import("@aws-sdk/client-sfn");
  const client: SFNClient = new sdk.SFNClient({
    ...awsClientConfig(aws, "SFN", region),
    maxAttempts,
    requestHandler: { connectionTimeout: 10_000, requestTimeout: requestMs, throwOnRequestTimeout: true },
  });
  const tried = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (thrown) {
      throw awsError(what, thrown);
    }
  };
  async function* pages(
    of: { readonly stateMachineArn: string } | { readonly mapRunArn: string },
    statusFilter?: "SUCCEEDED" | "FAILED",
  ): AsyncGenerator<readonly ListedExecution[]> {
    let nextToken: string | undefined;
    do {
      const page = {
        ...of,
        maxResults: pageSize,
        ...(statusFilter && { statusFilter }),
        ...(nextToken && { nextToken }),
      };
      const answer = await tried(`list executions of ${machine}`, () =>
        client.send(new sdk.ListExecutionsCommand(page)),
      );
      yield (answer.executions ?? []).map(toListed);
      ({ nextToken } = answer);
    } while (nextToken !== undefined);
  }

  return {
    stateMachineArn,
    start: async (name, input) => {
      try {
        const command = new sdk.StartExecutionCommand({ stateMachineArn, name, input });
        const { executionArn = "", startDate } = await client.send(command);
        return { arn: executionArn, startedAt: startDate?.getTime() ?? 0 };
      } catch (thrown) {
        if (thrown instanceof sdk.ExecutionAlreadyExists) return undefined;
        throw awsError(`start the state machine ${machine}`, thrown);
      }
    },
    describe: async (arn) => {
      try {
        const described = await client.send(new sdk.DescribeExecutionCommand({ executionArn: arn }));
        const { input = "{}", output, error, cause } = described;
        return { ...toListed(described), input, output, error, cause };
      } catch (thrown) {
        if (thrown instanceof sdk.ExecutionDoesNotExist) return undefined;
        throw awsError(`look at the execution ${arn}`, thrown);
      }
    },
    list: () => pages({ stateMachineArn }),
    listItems: (mapRunArn, status) => pages({ mapRunArn }, status),
    stop: (arn, error, cause) =>
      tried(`stop the execution ${arn}`, async () => {
        await client.send(new sdk.StopExecutionCommand({ executionArn: arn, error, cause }));
      }),
    redrive: async (arn) => {
      try {
        await client.send(new sdk.RedriveExecutionCommand({ executionArn: arn, clientToken: randomUUID() }));
        return true;
      } catch (thrown) {
        if (thrown instanceof sdk.ExecutionNotRedrivable) return false;
        throw awsError(`redrive the execution ${arn}`, thrown);
      }
    },
    mapRuns: (executionArn) =>
      tried(`list the map runs of ${executionArn}`, async () => {
        const { mapRuns = [] } = await client.send(new sdk.ListMapRunsCommand({ executionArn, maxResults: pageSize }));
        return mapRuns
          .toSorted((a, b) => (a.startDate?.getTime() ?? 0) - (b.startDate?.getTime() ?? 0))
          .map(({ mapRunArn = "" }) => mapRunArn);
      }),
    describeMapRun: (mapRunArn) =>
      tried(`look at the map run ${mapRunArn}`, async () =>
        toMapRun(await client.send(new sdk.DescribeMapRunCommand({ mapRunArn }))),
      ),
    updateMapRun: (mapRunArn, change) =>
      tried(`change the map run ${mapRunArn}`, async () => {
        await client.send(new sdk.UpdateMapRunCommand({ mapRunArn, ...change }));
      }),
    close: () => client.destroy(),
  };
}

function readMachineArn(arn: string): { readonly region: string; readonly machine: string } {
  const { service, region = "", resource = "" } = parseArn(arn) ?? {};
  const machine = /^stateMachine:([^:/]+)$/.exec(resource)?.[1];
  if (service === "states" && region !== "" && machine !== undefined) return { region, machine };
  throw new RowcallError("USAGE_INVALID", `"${arn}" is not the ARN of a state machine`, {
    hint: "It looks like arn:aws:states:eu-west-1:123456789012:stateMachine:batch-processor-prod.",
  });
}

function toListed(execution: Partial<ExecutionListItem>): ListedExecution {
  const { executionArn = "", name = "", status, startDate, stopDate } = execution;
  return {
    arn: executionArn,
    name,
    // An item whose redrive waits counts as running here.
    status: status === undefined || status === "PENDING_REDRIVE" ? "RUNNING" : status,
    startedAt: startDate?.getTime() ?? 0,
    stoppedAt: stopDate?.getTime(),
  };
}

function toMapRun({ maxConcurrency = 0, itemCounts }: DescribeMapRunCommandOutput): DescribedMapRun {
  const { pending = 0, running = 0, succeeded = 0, failed = 0, timedOut = 0, aborted = 0 } = itemCounts ?? {};
  return { maxConcurrency, items: { pending, running, succeeded, failed, timedOut, aborted } };
}
