import type { AgentDefinition } from "../../core/agent.ts";
import { RowcallError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { parseReference } from "../../core/registry.ts";
import { suggestMapping } from "../../app/suggest-mapping.ts";
import { agentFields, mappingPage, mappingPrefix, uploadPage } from "../pages/new-batch-pages.ts";
import { planPage } from "../pages/plan-page.ts";
import { uploadsHref } from "./api-links.ts";
import { filled, queryOf, readForm, type Dashboard } from "./dashboard.ts";
import { noticeOf, statusOf } from "./show-page.ts";

const previewRows = 5;
const sampleRows = 3;
const usualConcurrency = 10;
const usualRetries = 2;

/**
 * From a table to a run: table and agent, columns, plan, sample, run. What was chosen is in the address all the way, so that every
 * step can be gone back to, and the server keeps nothing.
 */
export function mountBatchPages(dashboard: Dashboard): void {
  const { app, pages, registry, workbench, runs } = dashboard;

  const upload = async (
    search: URLSearchParams,
  ): Promise<Pick<Parameters<typeof uploadPage>[0], "agents" | "input" | "uploadsHref">> => ({
    agents: (await registry.agents.list()).filter(takesBatches).map(nameOf).toReversed(),
    input: filled(search, "input") ?? "",
    uploadsHref,
    ...(filled(search, "agent") === undefined ? {} : { chosen: filled(search, "agent") }),
  });

  app.get("/new", async (c) => pages.show(c, uploadPage(await upload(queryOf(c)))));

  app.get("/new/columns", async (c) => {
    const search = queryOf(c);
    try {
      const { input, agent } = await chosen(dashboard, search);
      const { header, rows } = await workbench.readHead(input, previewRows);
      const fields = agentFields(agent, header);
      const given = [...mappingOf(search)];
      return await pages.show(
        c,
        mappingPage({
          input,
          fileName: fileNameOf(search),
          agent,
          columns: header,
          rows,
          mapping: given.length > 0 ? new Map(given) : suggested(header, fields),
          maxConcurrency: Number(filled(search, "concurrency") ?? usualConcurrency),
          retries: Number(filled(search, "retries") ?? usualRetries),
          name: filled(search, "name") ?? "",
        }),
      );
    } catch (thrown) {
      return pages.show(c, uploadPage({ ...(await upload(search)), notice: noticeOf(thrown) }), statusOf(thrown));
    }
  });

  app.get("/new/plan", async (c) => {
    const search = queryOf(c);
    const { agent } = await chosen(dashboard, search);
    const plan = await workbench.plan(batchValue(dashboard, search, agent), { listSize: 10 });
    return pages.show(
      c,
      planPage({
        plan,
        fileName: fileNameOf(search),
        here: `/new/plan?${search}`,
        mappingHref: `/new/columns?${search}`,
        startHref: `/new/start?${search}`,
        sampleRows: Math.max(1, Math.min(sampleRows, plan.rows)),
      }),
    );
  });

  app.post("/new/start", async (c) => {
    const search = queryOf(c);
    const { agent } = await chosen(dashboard, search);
    const limit = filled(await readForm(c), "limit");
    const name = filled(search, "name");
    const batch = await workbench.readBatch(batchValue(dashboard, search, agent));
    if (limit === undefined) {
      const { run } = await runs.start({ batch, name });
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
      max_concurrency: wholeNumber(filled(search, "concurrency") ?? String(usualConcurrency)),
      retry_strategy: { max_attempts: wholeNumber(filled(search, "retries") ?? String(usualRetries), 0) },
    },
  };
}

function suggested(header: readonly string[], fields: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    suggestMapping(header, fields).flatMap(({ field, column }) =>
      column === undefined ? [] : [[field, column] as const],
    ),
  );
}

function* mappingOf(search: URLSearchParams): Generator<readonly [field: string, column: string]> {
  for (const [key, column] of search) {
    if (key.startsWith(mappingPrefix) && column !== "") yield [key.slice(mappingPrefix.length), column];
  }
}

function fileNameOf(search: URLSearchParams): string {
  return filled(search, "file") ?? (filled(search, "input") ?? "").split(/[/\\]/).at(-1) ?? "";
}

function wholeNumber(text: string, least = 1): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new RowcallError("USAGE_INVALID", `"${text}" is no whole number from ${least} on`, {
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
