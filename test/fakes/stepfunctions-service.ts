import type { AwsSettings } from "../../src/aws/aws.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { startService, type TestService } from "./echo-service.ts";
import { testCredentials } from "./lambda-service.ts";

/** How a test's execution ended. */
export interface TestEnd {
  readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** One execution, as the service keeps it. */
export interface TestExecution {
  readonly arn: string;
  readonly name: string;
  /** The ARN it was started with. */
  readonly startedWith: string;
  readonly input: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  end?: TestEnd;
  stoppedAt?: number;
}

/** An error as Step Functions answers it. */
export interface TestRefusal {
  readonly type: string;
  readonly message: string;
}

/** Step Functions' endpoint with one state machine. */
export interface StepFunctionsService extends TestService {
  readonly aws: AwsSettings;
  readonly executions: ReadonlyMap<string, TestExecution>;
  /** Names of the operations that were called, in order. */
  readonly calls: readonly string[];
  /** Ends an execution. */
  finish(arn: string, end: TestEnd): void;
}

/** The state machine that there is. */
export const testStateMachine = "arn:aws:states:eu-west-1:123456789012:stateMachine:lookup";

/** What a state machine does in a test. */
export interface TestMachine {
  /** How an execution with this input ends, at once; undefined: it does not end by itself. */
  readonly run?: (input: JsonValue, execution: TestExecution) => TestEnd | undefined;
  /** Refuses a call before it is looked at. */
  readonly refuse?: (operation: string, request: Readonly<Record<string, unknown>>) => TestRefusal | undefined;
  /** @default "STANDARD" */
  readonly type?: "STANDARD" | "EXPRESS";
}

class Refused extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/**
 * Starts an endpoint that speaks the part of Step Functions' API that executions are run through.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
 */
export async function startStepFunctions({ run, refuse, type }: TestMachine): Promise<StepFunctionsService> {
  const executions = new Map<string, TestExecution>();
  const calls: string[] = [];

  const finish = (arn: string, end: TestEnd): void => {
    const execution = executions.get(arn);
    if (execution === undefined || execution.end !== undefined) return;
    Object.assign(execution, { end, stoppedAt: Date.now() });
  };

  const requireMachine = (arn: unknown): void => {
    if (typeof arn !== "string" || !arn.startsWith("arn:"))
      throw new Refused("InvalidArn", `Invalid Arn: '${String(arn)}'`);
    if (arn === testStateMachine || arn.startsWith(`${testStateMachine}:`)) return;
    throw new Refused("StateMachineDoesNotExist", `State Machine Does Not Exist: '${arn}'`);
  };

  const requireExecution = (arn: unknown): TestExecution => {
    const execution = executions.get(String(arn));
    if (execution === undefined)
      throw new Refused("ExecutionDoesNotExist", `Execution Does Not Exist: '${String(arn)}'`);
    return execution;
  };

  const operations: Readonly<Record<string, (request: Readonly<Record<string, unknown>>) => object>> = {
    StartExecution: ({ stateMachineArn, name, input }) => {
      requireMachine(stateMachineArn);
      if (!/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]{1,80}$/.test(String(name)))
        throw new Refused("InvalidName", `Invalid Name: '${String(name)}'`);
      const isExpress = type === "EXPRESS";
      const arn = `${testStateMachine.replace("stateMachine", isExpress ? "express" : "execution")}:${String(name)}`;
      const known = executions.get(arn);
      // The same name and input while it runs: the same execution. Anything else is refused, for 90 days after its end.
      if (known !== undefined && !(known.end === undefined && known.input === input))
        throw new Refused("ExecutionAlreadyExists", `Execution Already Exists: '${arn}'`);
      const execution: TestExecution = known ?? {
        arn,
        name: String(name),
        startedWith: String(stateMachineArn),
        input: String(input),
        startedAt: Date.now(),
      };
      if (known === undefined) {
        executions.set(arn, execution);
        const end = run?.(JSON.parse(execution.input) as JsonValue, execution);
        if (end !== undefined) finish(arn, end);
        service.events.emit("started", execution);
      }
      return { executionArn: arn, startDate: execution.startedAt / 1000 };
    },
    DescribeExecution: ({ executionArn }) => {
      const { arn, name, input, startedAt, end, stoppedAt } = requireExecution(executionArn);
      return {
        executionArn: arn,
        stateMachineArn: testStateMachine,
        name,
        input,
        inputDetails: { included: true },
        startDate: startedAt / 1000,
        redriveCount: 0,
        redriveStatus: "NOT_REDRIVABLE",
        ...(end === undefined ? { status: "RUNNING" } : { ...end, stopDate: (stoppedAt ?? 0) / 1000 }),
      };
    },
    StopExecution: ({ executionArn, error, cause }) => {
      const execution = requireExecution(executionArn);
      finish(execution.arn, {
        status: "ABORTED",
        ...(typeof error === "string" ? { error } : {}),
        ...(typeof cause === "string" ? { cause } : {}),
      });
      service.events.emit("stopped", execution);
      return { stopDate: (execution.stoppedAt ?? 0) / 1000 };
    },
    ListExecutions: ({ stateMachineArn, statusFilter, maxResults, nextToken }) => {
      requireMachine(stateMachineArn);
      if (type === "EXPRESS")
        throw new Refused(
          "StateMachineTypeNotSupported",
          "This operation is not supported by this type of state machine",
        );
      const all = [...executions.values()]
        .filter(({ end }) => statusFilter === undefined || (end?.status ?? "RUNNING") === statusFilter)
        .toSorted((a, b) => (b.stoppedAt ?? b.startedAt) - (a.stoppedAt ?? a.startedAt));
      const from = Number(nextToken ?? 0);
      const until = from + Number(maxResults ?? 100);
      return {
        executions: all.slice(from, until).map(({ arn, name, startedAt, end, stoppedAt }) => ({
          executionArn: arn,
          stateMachineArn: testStateMachine,
          name,
          status: end?.status ?? "RUNNING",
          startDate: startedAt / 1000,
          ...(stoppedAt === undefined ? {} : { stopDate: stoppedAt / 1000 }),
        })),
        ...(until < all.length ? { nextToken: String(until) } : {}),
      };
    },
  };

  const service = await startService((message, response) => {
    const operation = String(message.headers["x-amz-target"]).replace("AWSStepFunctions.", "");
    const request = JSON.parse(message.body) as Readonly<Record<string, unknown>>;
    calls.push(operation);
    const headers = { "content-type": "application/x-amz-json-1.0" };
    try {
      const refusal = refuse?.(operation, request);
      if (refusal !== undefined) throw new Refused(refusal.type, refusal.message);
      const answer = operations[operation];
      if (answer === undefined) throw new Refused("UnknownOperationException", operation);
      const text = JSON.stringify(answer(request));
      response.writeHead(200, headers).end(text);
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      response.writeHead(400, headers).end(JSON.stringify({ __type: thrown.type, message: thrown.message }));
    }
  });
  return {
    ...service,
    aws: { region: "eu-west-1", credentials: testCredentials, endpoints: { SFN: service.origin } },
    executions,
    calls,
    finish,
  };
}
