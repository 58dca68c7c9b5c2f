import type { AttemptTask } from "../attempt/attempt-answer.ts";
import { parseBatch } from "../core/batch-file.ts";
import type { JsonObject } from "../core/json.ts";
import { lookAtAgent } from "../attempt/resolve-agent.ts";
import { recordingsUri } from "../runs/recordings-uri.ts";
import { byCode } from "./by-code.ts";
import { functionServices } from "./function-setup.ts";

/** What an agent's state machine asks for when it was started alone. */
export interface ResolveEvent {
  /** Name of the agent in the registry. */
  readonly agent: string;
  /** Name of the execution. */
  readonly execution: string;
  /** The agent's input. */
  readonly input: JsonObject;
}

/** The attempt that an execution of an agent's state machine makes: the newest active version, with a batch's usual limits. */
export const handler: (event: ResolveEvent) => Promise<AttemptTask> = byCode(
  async ({ agent: name, execution, input }) => {
    const { services, recordingsPrefix } = functionServices();
    const batch = parseBatch({ agent_name: name }, "batch of one row");
    const agent = await services.registry.agents.resolve({ name });
    const { templates } = await lookAtAgent(services, agent, batch);
    return {
      run_id: execution,
      row: 0,
      attempt: 1,
      agent,
      templates,
      input,
      timeout_seconds: batch.execution.timeoutSeconds,
      heartbeat_seconds: batch.execution.heartbeatSeconds,
      recording: { level: batch.recording.level, prefix: recordingsUri(batch, recordingsPrefix, execution) },
    };
  },
);
