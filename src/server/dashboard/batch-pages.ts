import type { AgentDefinition } from "../../core/agent.ts";
import { RowcallError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { parseReference } from "../../core/registry.ts";
import { suggestMapping } from "../../app/suggest-mapping.ts";
import { agentFields, mappingPage, mappingPrefix, uploadPage } from "../pages/new-batch-pages.ts";
import { planPage } from "../pages/plan-page.ts";
import { filled, queryOf, readForm, type Dashboard } from "./dashboard.ts";

const previewRows = 5;
const usualConcurrency = "10";
const usualRetries = "2";

/**
 * From a table to a run: table and agent, columns, plan, sample, run. What was chosen is in the address all the way, so that every
 * step can be gone back to, and the server keeps nothing.
 */
export function mountBatchPages(dashboard: Dashboard): void {
  const { app, pages, registry, workbench, runs } = dashboard;

  const upload = async (search: URLSearchParams): Promise<ReturnType<typeof uploadPage>> =>
    uploadPage({
      agents: (await registry.agents.list()).filter(takesBatches).map(nameOf).toReversed(),
      agent: filled(search, "agent"),
      input: filled(search, "input"),
    });

  app.get("/new", async (c) => pages.show(c, await upload(queryOf(c))));

  app.get("/new/columns", async (c) => {
    const search = queryOf(c);
    try {
      const { input, agent } = await chosen(dashboard, search);
      const head = await workbench.readHead(input, previewRows);
      const given = mappingOf(search);
      return await pages.show(
        c,
        mappingPage({
          input,
          fileName: fileNameOf(search),
          agent,
          head,
          mapping: given.size > 0 ? given : suggested(head.header, agentFields(agent, head.header)),
          maxConcurrency: filled(search, "concurrency") ?? usualConcurrency,
          retries: filled(search, "retries") ?? usualRetries,
          name: filled(search, "name"),
        }),
      );
    } catch (thrown) {
      return pages.showRefused(c, await upload(search), thrown);
    }
  });

  app.get("/new/plan", async (c) => {
    const search = queryOf(c);
    const { agent } = await chosen(dashboard, search);
    const plan = await workbench.plan(batchValue(dashboard, search, agent), { listSize: 10 });
    return pages.show(c, planPage({ plan, fileName: fileNameOf(search), choices: String(search) }));
  });

  app.post("/new/start", async (c) => {
    const search = queryOf(c);
    const { agent } = await chosen(dashboard, search);
    const limit = filled(await readForm(c), "limit");
    const batch = await workbench.readBatch(batchValue(dashboard, search, agent));
    if (limit === undefined) {
      const { run } = await runs.start({ batch, name: filled(search, "name") });
      return c.redirect(`/runs/${run.id}`, 303);
    }
    // A sample takes no name: the run of the whole table shall have it.
    const { run } = await runs.start({ batch, limit: wholeNumber(limit) });
    return c.redirect(`/runs/${run.id}?${new URLSearchParams({ plan: `/new/plan?${search}` })}`, 303);
  });
}

async function chosen(
  { registry }: Dashboard,
  search: URLSearchParams,
): Promise<{ readonly input: string; readonly agent: AgentDefinition }> {
  const input = filled(search, "input");
  if (input === undefined) {
    throw new RowcallError("USAGE_INVALID", "There is no table yet", {
      hint: "Choose a file, or give a path or address.",
    });
  }
  return { input, agent: await registry.agents.resolve(parseReference(filled(search, "agent") ?? "")) };
}

/** The batch that the choices in an address stand for, as a batch file has it. */
function batchValue({ resultsPrefix }: Dashboard, search: URLSearchParams, agent: AgentDefinition): JsonObject {
  const required = agent.input_schema?.["required"];
  return {
    agent: nameOf(agent),
    input: filled(search, "input"),
    output: resultsPrefix,
    input_mapping: {
      column_mappings: [...mappingOf(search)].map(([field, column]) => ({
        csv_column: column,
        agent_input_field: field,
        required: Array.isArray(required) && required.includes(field),
      })),
    },
    execution_config: {
      max_concurrency: wholeNumber(filled(search, "concurrency") ?? usualConcurrency),
      retry_strategy: { max_attempts: wholeNumber(filled(search, "retries") ?? usualRetries, 0) },
    },
  };
}

function suggested(header: readonly string[], fields: readonly string[]): ReadonlyMap<string, string> {
  const columns = suggestMapping(header, fields);
  return new Map(columns.flatMap(({ field, column }) => (column === undefined ? [] : [[field, column] as const])));
}

/** Columns by field of the agent's input. */
function mappingOf(search: URLSearchParams): ReadonlyMap<string, string> {
  const given = [...search].filter(([key, column]) => key.startsWith(mappingPrefix) && column !== "");
  return new Map(given.map(([key, column]) => [key.slice(mappingPrefix.length), column]));
}

function fileNameOf(search: URLSearchParams): string {
  return filled(search, "file") ?? (filled(search, "input") ?? "").split(/[/\\]/).at(-1) ?? "";
}

function wholeNumber(text: string, least = 1): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new RowcallError("USAGE_INVALID", `"${text}" is not a whole number, ${least} or more`, {
    hint: "Go back and correct it.",
  });
}

function takesBatches({
  status,
  supports_batch_processing: takes,
  structured_output: output,
}: AgentDefinition): boolean {
  return status === "active" && takes && output.enabled;
}

function nameOf({ agent_name: name, version }: AgentDefinition): string {
  return `${name}@${version}`;
}
