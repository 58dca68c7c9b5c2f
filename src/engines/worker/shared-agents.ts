import type { AgentEnvironment, Invoker } from "../../core/agent.ts";
import type { AttemptTask } from "../../attempt/attempt-answer.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Services } from "../../core/services.ts";
import { requireAllowedModule } from "../../attempt/allowed-modules.ts";
import { createExtractor, type ExtractOutput } from "../../attempt/extract.ts";

/** An agent that is open. */
export interface OpenedAgent {
  readonly invoker: Invoker;
  readonly extract: ExtractOutput;
}

/** Agents shared by the attempts that are made with them. */
export interface SharedAgents {
  /**
   * Lends an agent to an attempt; it is opened for the first one, and closed when nobody has wanted it for long.
   *
   * @throws RowcallError as the agent's kind does when it is opened
   */
  use<T>(task: AttemptTask, work: (agent: OpenedAgent) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

interface Shared {
  readonly opening: Promise<OpenedAgent>;
  users: number;
  idle?: NodeJS.Timeout;
}

const idleMs = 5 * 60_000;

/**
 * Shares agents by definition, templates and recording level.
 *
 * @param concurrency - attempts that will be made at once
 * @param warn - told of what is wrong with this machine, though the agent works
 */
export function shareAgents(services: Services, concurrency: number, warn?: AgentEnvironment["warn"]): SharedAgents {
  const shared = new Map<string, Shared>();

  const close = async (key: string): Promise<void> => {
    const entry = shared.get(key);
    shared.delete(key);
    clearTimeout(entry?.idle);
    const agent = await entry?.opening.catch(() => undefined);
    await agent?.invoker.close();
  };
  const open = (key: string, task: AttemptTask): Shared => {
    const entry: Shared = { opening: openTaskAgent(services, concurrency, task, warn), users: 0 };
    shared.set(key, entry);
    return entry;
  };

  return {
    use: async (task, work) => {
      const key = JSON.stringify([task.agent, task.templates, task.state_machine_arn, task.recording.level]);
      const entry = shared.get(key) ?? open(key, task);
      clearTimeout(entry.idle);
      entry.users += 1;
      try {
        const agent = await entry.opening.catch((thrown: unknown) => {
          // One that could not be opened may be opened for the next task.
          if (shared.get(key) === entry) shared.delete(key);
          throw thrown;
        });
        return await work(agent);
      } finally {
        entry.users -= 1;
        if (entry.users === 0 && shared.get(key) === entry) {
          entry.idle = setTimeout(() => void close(key), idleMs);
          entry.idle.unref();
        }
      }
    },
    close: async () => {
      await Promise.all([...shared.keys()].map(close));
    },
  };
}

async function openTaskAgent(
  services: Services,
  concurrency: number,
  task: AttemptTask,
  warn: AgentEnvironment["warn"],
): Promise<OpenedAgent> {
  const { agent, templates, recording, state_machine_arn: stateMachineArn } = task;
  await requireAllowedModule(services, agent);
  const extract = createExtractor(agent);
  const invoker = await services.openAgent(agent, {
    template: async (reference) => {
      const template = templates[reference];
      if (template !== undefined) return template;
      throw new RowcallError("TEMPLATE_NOT_FOUND", `The task brings no template ${reference}`, {
        hint: "Whoever schedules the task puts it in, under that very reference.",
      });
    },
    concurrency,
    recording: recording.level,
    stateMachineArn,
    warn,
  });
  return { invoker, extract };
}
