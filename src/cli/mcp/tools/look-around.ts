import { z } from "zod";
import type { AgentDefinition } from "../../../core/agent.ts";
import { parseReference, referenceOf } from "../../../core/registry.ts";
import { shownStatus } from "../../../core/run.ts";
import { count, formatTime } from "../../print/output.ts";
import { percentOf } from "../snapshot.ts";
import { defineTool, type Tool } from "../tool.ts";

/** `list_runs`: runs, newest first. */
export const listRunsTool: Tool = defineTool({
  name: "list_runs",
  title: "List runs",
  description:
    "Lists the newest runs with their status, whoever started them. A run that is interrupted, stopped or failed can be continued " +
    "with resume_run.",
  input: z.strictObject({ limit: z.int().min(1).max(20).default(10).describe("How many") }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ engine }, { limit }) => {
    const found = await engine.list({ limit: limit + 1 });
    const runs = found.slice(0, limit);
    const more = found.length > limit;
    return {
      say:
        runs.length === 0
          ? "There are no runs here yet: start_batch starts one."
          : more
            ? `The newest ${count(runs.length, "run")}; there are older ones.`
            : `${count(runs.length, "run")} in all.`,
      facts: {
        more,
        runs: runs.map((run) => ({
          run: run.id,
          name: run.name,
          status: shownStatus(run),
          agent: run.agent,
          rows: run.counts.total,
          failed: run.counts.failed,
          percent: percentOf(run),
          started: formatTime(run.createdAt),
        })),
      },
    };
  },
});

/** `list_agents`: what can be run. */
export const listAgentsTool: Tool = defineTool({
  name: "list_agents",
  title: "List agents",
  description:
    "Lists the agents that can be run for every row of a table: name, kind, what they do, the columns they add. Use show_agent for " +
    "the input that one takes.",
  input: z.strictObject({
    query: z.string().optional().describe("Only agents whose name or description has this text"),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ services }, { query }) => {
    const agents = newestOf((await services.registry.agents.list()).filter(({ status }) => status === "active"));
    const wanted = (query ?? "").toLowerCase();
    const found = agents.filter(({ agent_name: name, description = "" }) =>
      `${name}\n${description}`.toLowerCase().includes(wanted),
    );
    return {
      say: found.length === 0 ? "There is no such agent." : `${count(found.length, "agent")}.`,
      facts: {
        agents: found.map(({ agent_name: name, version, kind, description, structured_output: output }) => ({
          agent: name,
          version,
          kind,
          description: description?.slice(0, 200),
          adds: output.output_fields,
        })),
      },
    };
  },
});

/** `show_agent`: what one agent takes and gives. */
export const showAgentTool: Tool = defineTool({
  name: "show_agent",
  title: "Show an agent",
  description:
    "Shows one agent: the fields of its input (input_schema), the columns it adds, what a row takes and costs. With that, write the " +
    "input_mapping of a batch: from columns of the table to fields of the input.",
  input: z.strictObject({ agent: z.string().min(1).describe("Its name, or name@version") }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ services }, { agent }) => {
    const found = await services.registry.agents.resolve(parseReference(agent));
    const name = referenceOf(found);
    return {
      say: `Agent ${name}, kind ${found.kind}.`,
      facts: {
        agent: name,
        status: found.status,
        kind: found.kind,
        description: found.description,
        input_schema: found.input_schema,
        adds: found.structured_output.output_fields,
        takes_batches: found.supports_batch_processing && found.structured_output.enabled,
        seconds_per_row: found.estimate?.seconds_per_row,
        cost_per_row_usd: found.estimate?.cost_per_row_usd,
      },
    };
  },
});

// The list is sorted by name, then by version, oldest first.
function newestOf(agents: readonly AgentDefinition[]): readonly AgentDefinition[] {
  return [...new Map(agents.map((agent) => [agent.agent_name, agent])).values()];
}
