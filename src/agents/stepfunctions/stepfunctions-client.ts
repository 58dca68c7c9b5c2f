import type { SFNClient } from "@aws-sdk/client-sfn";
import type { HostedEnvironment } from "../agent-host.ts";
import { awsError, explainAws, awsClientConfig } from "../../aws/aws.ts";
import { RowcallError, type ErrorCode } from "../../core/errors.ts";
import { httpSettings } from "../aws-http.ts";
import { executionArn } from "./execution-result.ts";
import { endStatuses, type ExecutionSource } from "./execution-poller.ts";
import type { StateMachine } from "./stepfunctions-config.ts";

/** An execution that was asked for. */
export interface BegunExecution {
  readonly arn: string;
  /** True when it was begun before, and has ended. */
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
  const tried = async <T>(what: string, call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (thrown) {
      throw callError(machine, what, thrown);
    }
  };

  return {
    requireStandard: async () => {
      const command = new sdk.ListExecutionsCommand({ stateMachineArn, maxResults: 1 });
      await tried(`use the state machine ${name}`, calls.send(command));
    },
    begin: async (execution, input) => {
      const known = executionArn(machine, execution);
      const command = new sdk.StartExecutionCommand({ stateMachineArn, name: execution, input });
      const begun = await tried(
        `start the state machine ${name}`,
        calls.send(command).catch((thrown: unknown) => {
          if (thrown instanceof sdk.ExecutionAlreadyExists) return undefined;
          throw thrown;
        }),
      );
      if (begun === undefined) return { arn: known, isOld: true };
      const { executionArn: arn = known } = begun;
      if (arn.includes(":express:")) throw expressMachine(name);
      return { arn, isOld: false };
    },
    describe: async (arn) => {
      const command = new sdk.DescribeExecutionCommand({ executionArn: arn });
      const { status, output, error, cause } = await tried(`look at the execution ${arn}`, looks.send(command));
      const ended = endStatuses.find((end) => end === status);
      return ended === undefined ? undefined : { status: ended, output, error, cause };
    },
    listEnded: async (statusFilter, nextToken) => {
      const page = { stateMachineArn, statusFilter, maxResults: pageSize, nextToken };
      const { executions = [], nextToken: next } = await tried(
        `list executions of the state machine ${name}`,
        looks.send(new sdk.ListExecutionsCommand(page)),
      );
      const ended = executions.map(({ executionArn: arn = "", stopDate }) => ({
        arn,
        stoppedAt: stopDate?.getTime() ?? 0,
      }));
      return { executions: ended, next };
    },
    stop: async (arn, error, cause) => {
      const stopped = calls.send(new sdk.StopExecutionCommand({ executionArn: arn, error, cause }));
      await tried(
        `stop the execution ${arn}`,
        stopped.catch((thrown: unknown) => {
          if (!(thrown instanceof sdk.ExecutionDoesNotExist)) throw thrown;
        }),
      );
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
