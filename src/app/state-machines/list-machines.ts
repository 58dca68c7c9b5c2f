import type { AgentDefinition } from "../../core/agent.ts";
import { RowcallError } from "../../core/errors.ts";
import type { StateMachine, StateMachines } from "../state-machine.ts";
import { createAgentMachine, type AgentMachineOptions } from "./agent-machine.ts";
import { createBatchMachine, type BatchMachineOptions } from "./batch-machine.ts";
import { createSharedAgents } from "./shared-agents.ts";

/** What the machines stand on. */
export interface MachinesOptions
  extends Omit<BatchMachineOptions, "name">, Pick<AgentMachineOptions, "recordingsPrefix"> {
  /** Ends the names of the machines: `prod` for `batch-processor-prod`. */
  readonly stage: string;
}

/** The machines of a registry: one that runs batches, and one for each name and alias of each agent that is active. */
export function createMachines(options: MachinesOptions): StateMachines {
  const { services } = options;
  const { agents: catalog } = services.registry;
  const agents = createSharedAgents(services);
  const batchMachine = createBatchMachine({ ...options, name: `batch-processor-${options.stage}` });
  const machineOf = (name: string, definition: AgentDefinition): StateMachine =>
    createAgentMachine({ ...options, name, definition, agents });
  return {
    list: async () => {
      const active = (await catalog.list()).filter(({ status }) => status === "active");
      const names = new Set(active.flatMap(({ agent_name: name, aliases }) => [name, ...aliases]));
      names.delete(batchMachine.name);
      const machines = [...names].map(async (name) => machineOf(name, await catalog.resolve({ name })));
      return [batchMachine, ...(await Promise.all(machines))].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    find: async (name) => {
      if (name === batchMachine.name) return batchMachine;
      try {
        return machineOf(name, await catalog.resolve({ name }));
      } catch (thrown) {
        if (thrown instanceof RowcallError && thrown.code === "AGENT_NOT_FOUND") return undefined;
        throw thrown;
      }
    },
  };
}
