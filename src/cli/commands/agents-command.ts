import type { Command } from "commander";
import type { AgentDefinition } from "../../core/agent.ts";
import type { Cli } from "../cli.ts";
import { addCatalogCommands } from "./catalog-commands.ts";

/** `rowcall agents`: looks after the agents in the registry. */
export function defineCommand(command: Command, cli: Cli): void {
  addCatalogCommands<AgentDefinition>(command, cli, {
    noun: "agent",
    example: "lookup@1.0.0",
    head: ["Agent", "Version", "Status", "Kind", "Description"],
    catalog: ({ agents }) => agents,
    cells: (agent) => [
      [agent.agent_name, ...agent.aliases].join(", "),
      agent.version,
      agent.status,
      agent.kind,
      agent.description ?? "",
    ],
    nameOf: (agent) => agent.agent_name,
    versionOf: (agent) => agent.version,
    validate: async (value, what) => (await import("../../app/validate-documents.ts")).validateAgent(value, what),
  });
}
