import type { AgentDefinition } from "../../core/agent.ts";
import type { Attempt, Artifact } from "../../core/attempt.ts";
import type { Batch } from "../../core/batch.ts";
import { rowOrders, type RowReport, type RowStatus } from "../../core/engine.ts";
import { isErrorCode } from "../../core/errors.ts";
import { rowPage, type RowView } from "../pages/row-page.ts";
import { rowsHref, rowsPage, type RowsQuery } from "../pages/rows-page.ts";
import { agentOf, recordingHref } from "./api-links.ts";
import { filled, queryOf, readForm, type Dashboard } from "./dashboard.ts";
import { findRow } from "../find-row.ts";
import { noticeOf, statusOf } from "./show-page.ts";
import { readInput, tryInput } from "./try-input.ts";

const rowsShown = 100;
const statuses: readonly RowStatus[] = ["pending", "in_flight", "succeeded", "failed"];

/** The table of a run's rows, and the detail of each. */
export function mountRowPages(dashboard: Dashboard): void {
  const { app, pages, engine, surveys } = dashboard;

  app.get("/runs/:id/rows", async (c) => {
    const run = await engine.describe(c.req.param("id"));
    const search = queryOf(c);
    const query = readQuery(search);
    const after = filled(search, "after");
    const [page, survey, batch, agent] = await Promise.all([
      engine.page(run.id, { ...query, limit: rowsShown, after }),
      surveys.of(run),
      engine.batch(run.id),
      agentOf(dashboard, run.agent),
    ]);
    return pages.show(
      c,
      rowsPage({
        run,
        query,
        rows: page.rows,
        inputColumns: Object.keys(page.rows[0]?.cells ?? {}),
        outputFields: outputFields(batch, agent, page.rows),
        codes: survey.failures.map(({ code }) => code),
        ...(after === undefined ? {} : { firstHref: rowsHref(run.id, query) }),
        ...(page.next === undefined ? {} : { nextHref: rowsHref(run.id, query, page.next) }),
      }),
    );
  });

  const detail = async (id: string, row: string): Promise<{ readonly view: RowView; readonly batch: Batch }> => {
    const run = await engine.describe(id);
    const [report, batch, agent] = await Promise.all([
      findRow(engine, run.id, row),
      engine.batch(run.id),
      agentOf(dashboard, run.agent),
    ]);
    const view: RowView = {
      run,
      report,
      artifactHref: (artifact: Artifact, attempt: Attempt) => recordingHref(run.id, attempt, artifact),
      ...(agent?.input_schema === undefined ? {} : { inputSchema: agent.input_schema }),
    };
    return { view, batch };
  };

  app.get("/runs/:id/rows/:row", async (c) => {
    const { view } = await detail(c.req.param("id"), c.req.param("row"));
    return pages.show(c, rowPage(view));
  });

  app.post("/runs/:id/rows/:row/try", async (c) => {
    const { view, batch } = await detail(c.req.param("id"), c.req.param("row"));
    const form = await readForm(c);
    try {
      const tried = await tryInput(dashboard, batch, readInput(view.inputSchema, form));
      return await pages.show(c, rowPage({ ...view, tried }));
    } catch (thrown) {
      return pages.show(c, rowPage({ ...view, notice: noticeOf(thrown) }), statusOf(thrown));
    }
  });
}

function readQuery(search: URLSearchParams): RowsQuery {
  const status = statuses.find((one) => one === search.get("status"));
  const code = filled(search, "code");
  const text = filled(search, "text");
  return {
    status,
    code: code !== undefined && isErrorCode(code) ? code : undefined,
    text,
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
