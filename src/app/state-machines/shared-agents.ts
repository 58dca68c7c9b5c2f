import type { AgentDefinition, Invoker } from "../../core/agent.ts";
import type { Batch } from "../../core/batch.ts";
import type { Services } from "../../core/services.ts";
import { openTurns, type Turns } from "../../agents/turns.ts";
import { agentEnvironment } from "../../attempt/resolve-agent.ts";
import { referenceOf } from "../../core/registry.ts";

/** Opened agents that several executions use at once: a browser is started once and not for each of them. */
export interface SharedAgents {
  /**
   * Works with an opened agent, when its turn has come: no more work with one agent at once than the batch's concurrency. The
   * agent is closed when nobody works with it any more.
   */
  use<T>(definition: AgentDefinition, batch: Batch, work: (invoker: Invoker) => Promise<T>): Promise<T>;
}

interface Shared {
  readonly invoker: Promise<Invoker>;
  readonly turns: Turns;
  users: number;
}

/** Creates an empty set of opened agents. */
export function createSharedAgents(services: Services): SharedAgents {
  const opened = new Map<string, Shared>();
  return {
    use: async (definition, batch, work) => {
      const key = referenceOf(definition);
      const environment = agentEnvironment(services, batch);
      const shared = opened.get(key) ?? {
        invoker: services.openAgent(definition, environment),
        turns: openTurns(environment.concurrency),
        users: 0,
      };
      opened.set(key, shared);
      shared.users += 1;
      const giveBack = await shared.turns.take();
      try {
        return await work(await shared.invoker);
      } finally {
        shared.users -= 1;
        giveBack();
        if (shared.users === 0) {
          opened.delete(key);
          await shared.invoker.then((invoker) => invoker.close()).catch(() => {});
        }
      }
    },
  };
}
