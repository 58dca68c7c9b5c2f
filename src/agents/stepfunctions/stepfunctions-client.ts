import type { SFNClient } from "@aws-sdk/client-sfn";
import type { HostedEnvironment } from "../agent-host.ts";
import { awsError, explainAws, awsClientConfig } from "../../aws/aws.ts";
import { RowcallError, type ErrorCode } from "../../core/errors.ts";
import { httpSettings } from "../aws-http.ts";
import { executionArn } from "./execution-result.ts";
import { endStatuses, type EndStatus, type ExecutionSource } from "./execution-poller.ts";
import type { StateMachine } from "./stepfunctions-config.ts";

/** An execution that was asked for. */
export interface BegunExecution {
  readonly arn: string;
  /** Whether it was begun before, and has ended. */
  readonly isOld: boolean;
}

/** One state machine, as AWS's API has it. */
export interface StepFunctionsClient extends ExecutionSource {
  /**
   * Finds out whether executions of the state machine can be followed.
   *
   * @throws RowcallError AGENT_INVALID for an express one; AWS_DENIED, AWS_FAILED
   */
  requireStandard(): Promise<void>;
  /**
   * Begins an execution, or finds the one of this name.
   *
   * @throws RowcallError AGENT_INVALID for an express state machine; ROW_INVALID, AWS_DENIED, AWS_FAILED
   */
  begin(name: string, input: string): Promise<BegunExecution>;
  /**
   * Stops an execution; one that is not there, or has ended, stays as it is.
   *
   * @throws RowcallError AWS_DENIED, AWS_FAILED
   */
  stop(arn: string, error: string, cause: string): Promise<void>;
  /** Ends all connections. */
  close(): void;
}

const callMs = 30_000;
const pageSize = 1000;
const mostConnections = 50;

/** Opens a state machine; nothing is called yet. */
export async function openStepFunctionsClient(
  machine: StateMachine,
  environment: Pick<HostedEnvironment, "aws" | "concurrency">,
): Promise<StepFunctionsClient> {
  const sdk = await import("@aws-sdk/client-sfn");
  const settings = {
    ...awsClientConfig(environment.aws, "SFN", machine.parts.region),
    requestHandler: httpSettings(Math.min(environment.concurrency, mostConnections), callMs),
  };
  // Beginning and stopping twice changes nothing, so the SDK may try again. Looks are repeated by the poller, which counts them.
  const calls: SFNClient = new sdk.SFNClient({ ...settings, maxAttempts: 5 });
  const looks: SFNClient = new sdk.SFNClient({ ...settings, credentials: calls.config.credentials, maxAttempts: 1 });
  const { arn: stateMachineArn, name } = machine;

  return {
    requireStandard: async () => {
      try {
        await calls.send(new sdk.ListExecutionsCommand({ stateMachineArn, maxResults: 1 }));
      } catch (thrown) {
        throw callError(machine, `use the state machine ${name}`, thrown);
      }
    },
    begin: async (execution, input) => {
      let arn: string;
      try {
        const begun = await calls.send(new sdk.StartExecutionCommand({ stateMachineArn, name: execution, input }));
        arn = begun.executionArn ?? executionArn(machine, execution);
      } catch (thrown) {
        if (thrown instanceof sdk.ExecutionAlreadyExists) return { arn: executionArn(machine, execution), isOld: true };
        throw callError(machine, `start the state machine ${name}`, thrown);
      }
      if (arn.includes(":express:")) throw expressMachine(name);
      return { arn, isOld: false };
    },
    describe: async (arn) => {
      try {
        const { status, output, error, cause } = await looks.send(
          new sdk.DescribeExecutionCommand({ executionArn: arn }),
        );
        const ended = endStatuses.find((end) => end === status);
        if (ended === undefined) return undefined;
        return {
          status: ended,
          ...(output === undefined ? {} : { output }),
          ...(error === undefined ? {} : { error }),
          ...(cause === undefined ? {} : { cause }),
        };
      } catch (thrown) {
        throw callError(machine, `look at the execution ${arn}`, thrown);
      }
    },
    listEnded: async (status: EndStatus, page) => {
      try {
        const { executions = [], nextToken } = await looks.send(
          new sdk.ListExecutionsCommand({
            stateMachineArn,
            statusFilter: status,
            maxResults: pageSize,
            ...(page === undefined ? {} : { nextToken: page }),
          }),
        );
        return {
          executions: executions.map(({ executionArn: arn = "", stopDate }) => ({
            arn,
            stoppedAt: stopDate?.getTime() ?? 0,
          })),
          ...(nextToken === undefined ? {} : { next: nextToken }),
        };
      } catch (thrown) {
        throw callError(machine, `list executions of the state machine ${name}`, thrown);
      }
    },
    stop: async (arn, error, cause) => {
      try {
        await calls.send(new sdk.StopExecutionCommand({ executionArn: arn, error, cause }));
      } catch (thrown) {
        if (thrown instanceof sdk.ExecutionDoesNotExist) return;
        throw callError(machine, `stop the execution ${arn}`, thrown);
      }
    },
    close: () => {
      calls.destroy();
      looks.destroy();
    },
  };
}

// Where AWS's name of an error says more than its status, which is 400 for nearly everything.
const codes: Readonly<Record<string, ErrorCode>> = {
  InvalidExecutionInput: "ROW_INVALID",
  ExecutionLimitExceeded: "AWS_FAILED",
  KmsThrottlingException: "AWS_FAILED",
};

function callError(machine: StateMachine, tried: string, thrown: unknown): RowcallError {
  const { name } = explainAws(thrown);
  if (name === "StateMachineTypeNotSupported") return expressMachine(machine.name);
  return awsError(tried, thrown, Object.hasOwn(codes, name) ? codes[name] : undefined);
}

function expressMachine(name: string): RowcallError {
  return new RowcallError(
    "AGENT_INVALID",
    `The state machine ${name} is an express one, whose executions cannot be followed`,
    {
      hint: "Make it a standard one, or have a small Lambda function run it with StartSyncExecution and use an agent of kind lambda.",
    },
  );
}
