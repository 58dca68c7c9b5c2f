import type { AgentDefinition } from "../../core/agent.ts";
import type { Batch } from "../../core/batch.ts";
import { rowOrders, type RowReport, type RowStatus } from "../../core/engine.ts";
import { isErrorCode } from "../../core/errors.ts";
import { findRow } from "../find-row.ts";
import { rowPage, type RowView } from "../pages/row-page.ts";
import { rowsHref, rowsPage, type RowsQuery } from "../pages/rows-page.ts";
import { agentOf, filled, queryOf, readForm, readInput, type Dashboard } from "./dashboard.ts";

const rowsShown = 100;
const statuses: readonly RowStatus[] = ["pending", "in_flight", "succeeded", "failed"];

/** The table of a run's rows, and the detail of each. */
export function mountRowPages(dashboard: Dashboard): void {
  const { app, pages, engine, surveys, tries } = dashboard;

  app.get("/runs/:id/rows", async (c) => {
    const run = await engine.describe(c.req.param("id"));
    const search = queryOf(c);
    const query = readQuery(search);
    const after = filled(search, "after");
    const [{ rows, next }, survey, batch, agent] = await Promise.all([
      engine.page(run.id, { ...query, after, limit: rowsShown }),
      surveys.of(run),
      engine.batch(run.id),
      agentOf(dashboard, run.agent),
    ]);
    return pages.show(
      c,
      rowsPage({
        run,
        query,
        rows,
        outputFields: outputFields(batch, agent, rows),
        codes: survey.failures.map(({ code }) => code),
        firstHref: after === undefined ? undefined : rowsHref(run.id, query),
        nextHref: next === undefined ? undefined : rowsHref(run.id, query, next),
      }),
    );
  });

  const find = async (id: string, row: string): Promise<RowView> => {
    const run = await engine.describe(id);
    const [report, agent] = await Promise.all([findRow(engine, run.id, row), agentOf(dashboard, run.agent)]);
    return { run, report, inputSchema: agent?.input_schema };
  };

  app.get("/runs/:id/rows/:row", async (c) =>
    pages.show(c, rowPage(await find(c.req.param("id"), c.req.param("row")))),
  );

  app.post("/runs/:id/rows/:row/try", async (c) => {
    const view = await find(c.req.param("id"), c.req.param("row"));
    const form = await readForm(c);
    try {
      const input = readInput(view.inputSchema, form);
      const tried = { ...(await tries.make(await engine.batch(view.run.id), { input })), input };
      return await pages.show(c, rowPage({ ...view, tried }));
    } catch (thrown) {
      return pages.showRefused(c, rowPage(view), thrown);
    }
  });
}

function readQuery(search: URLSearchParams): RowsQuery {
  const code = filled(search, "code") ?? "";
  return {
    status: statuses.find((one) => one === search.get("status")),
    code: isErrorCode(code) ? code : undefined,
    text: filled(search, "text"),
    order: rowOrders.find((one) => one === search.get("order")) ?? "row",
    descending: search.get("descending") === "true",
  };
}

function outputFields(
  { outputMapping: { fields } }: Batch,
  agent: AgentDefinition | undefined,
  rows: readonly RowReport[],
): readonly string[] {
  const named = fields ?? agent?.structured_output.output_fields ?? [];
  if (named.length > 0) return named;
  const outputs = rows.flatMap(({ attempts }) => {
    const outcome = attempts.at(-1)?.outcome;
    return outcome?.status === "succeeded" ? Object.keys(outcome.output) : [];
  });
  return [...new Set(outputs)];
}
