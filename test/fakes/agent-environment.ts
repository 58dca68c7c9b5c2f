import type { HostedEnvironment } from "../../src/agents/agent-host.ts";
import { parseAgent, type AgentDefinition } from "../../src/core/agent.ts";
import { RowcallError } from "../../src/core/errors.ts";

/** An agent of a kind with a config. */
export function agentOf(kind: string, config: Readonly<Record<string, unknown>>): AgentDefinition {
  const structured_output = { enabled: true, output_fields: ["echo"] };
  return parseAgent({ agent_name: "tested", version: "1.0.0", kind, config, structured_output }, "agent");
}

/** What opening an agent takes, with no templates. */
export function anEnvironment(over: Partial<HostedEnvironment> = {}): HostedEnvironment {
  return {
    template: async (reference) => {
      throw new RowcallError("TEMPLATE_NOT_FOUND", `There is no template ${reference}`);
    },
    secret: () => undefined,
    concurrency: 4,
    recording: "none",
    aws: { endpoints: {} },
    baseDirectory: process.cwd(),
    ...over,
  };
}
