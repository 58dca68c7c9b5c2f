import type { AgentDefinition } from "../../core/agent.ts";
import type { FailedOutcome } from "../../core/attempt.ts";
import { parseBatch } from "../../core/batch-file.ts";
import { RowcallError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { compileSchema, formatProblems } from "../../core/schema.ts";
import type { Services } from "../../core/services.ts";
import { ExecutionFailure, type ExecutionContext, type StateMachine } from "../state-machine.ts";
import { attemptRow } from "../../attempt/attempt-row.ts";
import { recordingsUri } from "../../runs/recordings-uri.ts";
import { agentDefinition, agentState } from "./definitions.ts";
import type { SharedAgents } from "./shared-agents.ts";
import { referenceOf } from "../../core/registry.ts";

/** What an agent's machine stands on. */
export interface AgentMachineOptions {
  /** The agent's own name or one of its aliases. */
  readonly name: string;
  readonly definition: AgentDefinition;
  readonly agents: SharedAgents;
  readonly services: Services;
  /** Where recordings go; path or URI. */
  readonly recordingsPrefix: string;
}

const task = { resourceType: "rowcall", resource: "invokeAgent" };

/** A machine each of whose executions is one attempt of an agent; the output is the agent's reply. */
export function createAgentMachine(options: AgentMachineOptions): StateMachine {
  const { name, definition } = options;
  const batch = parseBatch({ agent_name: definition.agent_name }, "batch of one");
  const { timeoutSeconds } = batch.execution;
  return {
    name,
    definition: agentDefinition(definition, timeoutSeconds),
    run: async (context) => {
      const input = checkedInput(definition, context.input);
      schedule(context, options, input, timeoutSeconds);
      const { execution, stop, tell } = context;
      const id = `${name}/${execution.name}`;
      const { attempt } = await options.agents.use(definition, batch, (invoker) => {
        tell({ type: "TaskStarted", details: task });
        return attemptRow(options.services, {
          batch,
          definition,
          invoker,
          runId: id,
          row: 0,
          input,
          recordingsUri: recordingsUri(batch, options.recordingsPrefix, id),
          signal: stop,
        });
      });
      if (attempt.outcome.status === "failed") throw failed(context, attempt.outcome);
      const reply = { structured_output: attempt.outcome.output };
      const output = JSON.stringify(reply);
      tell({ type: "TaskSucceeded", details: { ...task, output } });
      tell({ type: "TaskStateExited", details: { name: agentState, output } });
      return reply;
    },
  };
}

function checkedInput({ agent_name: name, input_schema: schema }: AgentDefinition, input: JsonValue): JsonObject {
  if (!isJsonObject(input)) {
    throw new RowcallError("ROW_INVALID", `The input of agent ${name} is no JSON object`, {
      hint: `Give the agent's fields: {"field": "value"}.`,
    });
  }
  const problems = schema === undefined ? [] : compileSchema(schema, `The input_schema of agent ${name}`)(input);
  if (problems.length === 0) return input;
  throw new RowcallError("ROW_INVALID", `The agent's input schema refuses the input: ${formatProblems(problems)}`, {
    hint: `\`rowcall agents show ${name}\` has the schema.`,
  });
}

function schedule(
  context: ExecutionContext,
  { definition }: AgentMachineOptions,
  input: JsonObject,
  timeoutSeconds: number,
): void {
  const { execution, history, tell } = context;
  const entered = history.find(({ type }) => type === "TaskStateEntered");
  if (entered === undefined) {
    tell({ type: "TaskStateEntered", details: { name: agentState, input: execution.input }, previous: 0 });
  } else if (history.at(-1)?.type !== "ExecutionRedriven") {
    const cause = "The process ended during this attempt";
    tell({ type: "TaskFailed", details: { ...task, error: "INTERRUPTED", cause } });
  }
  const parameters = JSON.stringify({
    Agent: referenceOf(definition),
    Input: input,
  });
  tell({ type: "TaskScheduled", details: { ...task, parameters, timeoutInSeconds: timeoutSeconds } });
}

function failed({ tell }: ExecutionContext, { code, message, hint }: FailedOutcome): ExecutionFailure {
  if (code === "TIMEOUT") {
    const error = "States.Timeout";
    tell({ type: "TaskTimedOut", details: { ...task, error } });
    return new ExecutionFailure(error);
  }
  const cause = hint === undefined ? message : `${message}. ${hint}`;
  tell({ type: "TaskFailed", details: { ...task, error: code, cause } });
  return new ExecutionFailure(code, cause);
}
