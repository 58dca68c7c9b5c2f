import { setTimeout as wait } from "node:timers/promises";
import type { AgentDefinition, AgentInput, InvokeContext, Invoker } from "../core/agent.ts";
import type { HostedEnvironment } from "./agent-host.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { consoleUrl, executionName, resultOf, stopErrors } from "./stepfunctions/execution-result.ts";
import { createExecutionPoller, type ExecutionEnd, type Timing } from "./stepfunctions/execution-poller.ts";
import { openStepFunctionsClient } from "./stepfunctions/stepfunctions-client.ts";
import { parseStepFunctionsConfig, requireStateMachine } from "./stepfunctions/stepfunctions-config.ts";
import { takeOutput } from "../core/take-output.ts";

/** Step Functions' limit of an execution's input. */
const maxInputBytes = 256 * 1024;

const realTiming: Timing = {
  clock: Date.now,
  monotonic: () => performance.now(),
  wait: (ms, signal) => wait(ms, undefined, { signal }),
};

/**
 * Opens an agent that is an AWS Step Functions state machine of type standard: an execution for every attempt, with the mapped
 * row as its input, whose output is the reply. Whether the state machine is there and may be used is found out at once.
 *
 * Executions outlive this process. An attempt that is made again under its old number finds its execution by its name.
 *
 * @param timing - for looking at executions, and for how long they took
 * @throws RowcallError AGENT_INVALID; AWS_DENIED without credentials, state machine or permission
 */
export async function openStepFunctionsAgent(
  definition: AgentDefinition,
  environment: HostedEnvironment,
  timing: Timing = realTiming,
): Promise<Invoker> {
  const config = parseStepFunctionsConfig(definition);
  const machine = requireStateMachine(definition.agent_name, config, environment.stateMachineArn);
  const client = await openStepFunctionsClient(machine, environment);
  const poller = createExecutionPoller(client, timing);
  const endpoint = environment.aws.endpoints.SFN;

  const whereIs = (arn: string): string => (endpoint === undefined ? consoleUrl(machine, arn) : arn);

  /** The end of an attempt's execution. */
  async function follow(arn: string, isOld: boolean, context: InvokeContext): Promise<ExecutionEnd> {
    const { signal, artifacts } = context;
    const startedAt = timing.monotonic();
    const note = (status: "done" | "failed", detail: string): void => {
      const shown = endpoint === undefined ? `${detail}; ${whereIs(arn)}` : detail;
      artifacts.step({ name: `execution ${arn}`, status, durationMs: timing.monotonic() - startedAt, detail: shown });
    };
    try {
      const end = await poller.waitFor(arn, signal, isOld);
      note(end.status === "SUCCEEDED" ? "done" : "failed", isOld ? `${end.status}, begun earlier` : end.status);
      return end;
    } catch (thrown) {
      note("failed", signal.aborted ? await stop(arn, signal.reason) : messageOf(thrown));
      throw thrown;
    }
  }

  /** Stops an execution that nobody waits for any more; what became of it, for people. */
  async function stop(arn: string, reason: unknown): Promise<string> {
    const isInterrupted = reason instanceof RowcallError && reason.code === "INTERRUPTED";
    try {
      await client.stop(arn, isInterrupted ? stopErrors.interrupted : stopErrors.timeout, messageOf(reason));
      return "stopped";
    } catch (thrown) {
      return messageOf(thrown);
    }
  }

  async function invoke(input: AgentInput, context: InvokeContext): Promise<JsonValue> {
    context.signal.throwIfAborted();
    const text = requireSize(JSON.stringify(input));
    for (let round = 1; ; round += 1) {
      // Not ended by the signal: an execution that begins all the same must be known to be stopped.
      const { arn, isOld } = await client.begin(executionName(context, text, round), text);
      const end = await follow(arn, isOld, context);
      // An interruption of this very attempt stopped that one: it is begun anew, under the next name.
      if (isOld && end.status === "ABORTED" && end.error === stopErrors.interrupted) continue;
      return takeOutput(config.output, resultOf(end, whereIs(arn)), `the state machine ${machine.name}`);
    }
  }

  try {
    await client.requireStandard();
  } catch (thrown) {
    // What may pass is left to the rows and their retries.
    if (!(thrown instanceof RowcallError && thrown.retryable)) {
      client.close();
      throw thrown;
    }
  }
  const host = endpoint === undefined ? `states.${machine.parts.region}.amazonaws.com` : URL.parse(endpoint)?.host;
  return {
    invoke,
    outlivesProcess: true,
    targetHost: () => host,
    preview: (input) => ({ state_machine_arn: machine.arn, input }),
    close: async () => {
      poller.close();
      client.close();
    },
  };
}

function requireSize(input: string): string {
  const size = Buffer.byteLength(input);
  if (size <= maxInputBytes) return input;
  throw new RowcallError("ROW_INVALID", `The input is too large for a state machine: it is ${size} bytes of JSON`, {
    hint: "Step Functions takes at most 256 KiB. Map fewer columns, or pass where the data lies instead of the data.",
  });
}
