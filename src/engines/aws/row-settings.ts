import type { AgentDefinition } from "../../core/agent.ts";
import type { Batch } from "../../core/batch.ts";
import { errorKind, errorTable, RowcallError, type ErrorCode } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { maxWorkerLosses, shouldRetry } from "../../core/retry.ts";
import { lookAtAgent } from "../../attempt/resolve-agent.ts";
import { recordingsUri } from "../../runs/recordings-uri.ts";
import type { FunctionSetup } from "./function-setup.ts";
import type { RowSettings, RowTarget } from "./row-definition.ts";

/** Where the rows of a batch go, and what each is told. */
export interface RowDestination {
  readonly target: RowTarget;
  readonly settings: RowSettings;
}

/** What of a function's setup rows depend on. */
export type RowSetup = Pick<FunctionSetup, "services" | "recordingsPrefix" | "agentMachineArn" | "workerWaitSeconds">;

// Beyond the attempt's own limit: for the last recording.
const graceSeconds = 60;

/**
 * Where the rows of a batch go on AWS, by the kind of its agent.
 *
 * @throws RowcallError AGENT_INVALID when the kind cannot run there, or names nothing to call; BATCH_INVALID for what Step
 * Functions cannot do
 */
export async function rowSettings(
  setup: RowSetup,
  batch: Batch,
  agent: AgentDefinition,
  id: string,
): Promise<RowDestination> {
  requireStepFunctions(batch, agent);
  const { timeoutSeconds } = batch.execution;
  const { output = "reply" } = agent.config;
  const common = { run_id: id, retry: retryOf(batch), needs_output: output === "reply" };
  switch (agent.kind) {
    case "browser": {
      const target = batch.agentStateMachineArn ?? setup.agentMachineArn;
      if (target === undefined) throw nothingToCall(agent, "agent_state_machine_arn in the batch");
      const context = await browserContext(setup, batch, agent, id);
      const seconds = Math.ceil(timeoutSeconds) + graceSeconds + setup.workerWaitSeconds;
      return {
        target: "state_machine",
        settings: { ...common, target, task_timeout_seconds: seconds, context },
      };
    }
    case "stepfunctions": {
      const { state_machine_arn: own } = agent.config;
      const target = typeof own === "string" ? own : batch.agentStateMachineArn;
      if (target === undefined)
        throw nothingToCall(agent, "state_machine_arn in its config, or agent_state_machine_arn in the batch");
      return {
        target: "state_machine",
        settings: { ...common, target, task_timeout_seconds: Math.ceil(timeoutSeconds) },
      };
    }
    case "lambda": {
      const { function: name, qualifier } = agent.config;
      if (typeof name !== "string") throw nothingToCall(agent, "function in its config");
      const target = typeof qualifier === "string" ? `${name}:${qualifier}` : name;
      return { target: "function", settings: { ...common, target, task_timeout_seconds: Math.ceil(timeoutSeconds) } };
    }
    default:
      throw cannotRun(agent);
  }
}

/**
 * Finds out what keeps a batch from AWS whatever is deployed there.
 *
 * @throws RowcallError AGENT_INVALID, BATCH_INVALID
 */
export function requireStepFunctions(batch: Batch, agent: AgentDefinition): void {
  if (batch.execution.rateLimit !== undefined) {
    throw new RowcallError("BATCH_INVALID", "execution_config.rate_limit cannot be kept to on Step Functions", {
      hint: "Leave it out and choose max_concurrency so that the rate stays below it, or run the batch on this machine.",
    });
  }
  if (!kinds.includes(agent.kind)) throw cannotRun(agent);
  const { secrets } = agent.config;
  if (agent.kind !== "browser" && Array.isArray(secrets) && secrets.length > 0) {
    throw new RowcallError(
      "AGENT_INVALID",
      `Agent ${agent.agent_name} has secrets, which nothing masks on Step Functions`,
      {
        hint: "There Step Functions calls the agent itself and keeps what it answers. Take secrets out of its config, or run the batch on this machine.",
      },
    );
  }
}

const kinds: readonly string[] = ["browser", "lambda", "stepfunctions"];

function cannotRun({ kind }: AgentDefinition): RowcallError {
  return new RowcallError("AGENT_INVALID", `Agents of kind "${kind}" cannot run on Step Functions`, {
    hint: "There browser, lambda and stepfunctions agents run. Put the code into a Lambda function, or run the batch on this machine.",
  });
}

async function browserContext(
  { services, recordingsPrefix }: RowSetup,
  batch: Batch,
  agent: AgentDefinition,
  id: string,
): Promise<JsonObject> {
  const { templates } = await lookAtAgent(services, agent, batch);
  return {
    run_id: id,
    agent,
    templates,
    timeout_seconds: batch.execution.timeoutSeconds,
    heartbeat_seconds: batch.execution.heartbeatSeconds,
    recording: { level: batch.recording.level, prefix: recordingsUri(batch, recordingsPrefix, id) },
  } as unknown as JsonObject;
}

function retryOf({ execution: { retry } }: Batch): RowSettings["retry"] {
  const isRetried = (code: ErrorCode): boolean => {
    const { retryable } = errorKind(code);
    return shouldRetry({ ...retry, maxAttempts: 1 }, { status: "failed", code, message: "", retryable }, 1);
  };
  return {
    max_attempts: retry.maxAttempts,
    interval_seconds: retry.intervalSeconds,
    backoff_rate: retry.backoffRate,
    max_delay_seconds: retry.maxDelaySeconds,
    full_jitter: retry.jitterStrategy === "FULL",
    codes: (Object.keys(errorTable) as ErrorCode[]).filter(isRetried),
    max_losses: retry.doNotRetryOn.includes("WORKER_LOST") ? 1 : maxWorkerLosses,
  };
}

function nothingToCall({ agent_name: name }: AgentDefinition, what: string): RowcallError {
  return new RowcallError("AGENT_INVALID", `Agent ${name} names nothing that Step Functions could call`, {
    hint: `Set ${what}.`,
  });
}
