import type { AgentDefinition } from "../core/agent.ts";
import type { Batch } from "../core/batch.ts";
import type { JsonObject } from "../core/json.ts";
import { formatReference } from "../core/registry.ts";
import { invalid } from "../core/schema.ts";
import type { Services } from "../core/services.ts";
import type { TableHead, TryChoice, Workbench } from "../core/workbench.ts";
import { detectDialect, toUtf8 } from "../row/dialect.ts";
import { parseRecords } from "../row/parse.ts";
import { requireAllowedModule } from "./allowed-modules.ts";
import type { FigureSources } from "./estimate.ts";
import { loadBatch, loadBatchParts } from "./load-batch.ts";
import { makeRow, readRow, replaceCells, type NamedRow } from "./pick-row.ts";
import { planBatch, type ExtraCheck } from "./plan.ts";
import { recordingsUri } from "./recordings-uri.ts";
import { tryRow } from "./try-row.ts";

/** What a workbench stands on. */
export interface WorkbenchOptions extends Pick<Workbench, "readTemplate"> {
  /** @throws RowcallError AGENT_INVALID, AGENT_UNKNOWN */
  readonly readAgent: (value: unknown) => AgentDefinition;
  readonly services: Services;
  /** Prefix of recordings when a batch names none. */
  readonly recordingsPrefix: string;
  /** @default [] */
  readonly extraChecks?: readonly ExtraCheck[];
  /** What earlier rows of an agent took; `name@version`. */
  readonly measured?: (agent: string) => Promise<FigureSources["measured"]>;
}

/** Puts planning, trying and reading together for a face that may not import them. */
export function createWorkbench(options: WorkbenchOptions): Workbench {
  const { services, recordingsPrefix, readAgent, readTemplate } = options;
  return {
    readAgent: async (value) => {
      const agent = readAgent(value);
      await requireAllowedModule(services, agent);
      return agent;
    },
    readTemplate,
    readBatch: (value) => loadBatch(services, JSON.stringify(value), {}, ["input", "output"]),
    plan: async (value, choice) => {
      const { data: batch, problems, what } = await loadBatchParts(services, JSON.stringify(value));
      if (batch === undefined) throw invalid("BATCH_INVALID", what, problems);
      const agent = await services.registry.agents.resolve(batch.agent).catch(() => undefined);
      const measured = agent && (await options.measured?.(nameOf(agent)));
      return planBatch(services, batch, {
        ...choice,
        fileProblems: problems,
        extraChecks: options.extraChecks ?? [],
        figures: measured === undefined ? {} : { measured },
      });
    },
    tryRow: async (batch, choice) => {
      const name = `try-${new Date(services.clock()).toISOString().replace(/[:.]/g, "-")}`;
      return tryRow(services, {
        batch: choice.input === undefined ? batch : withInput(batch, choice.input),
        row: await rowOf(services, batch, choice),
        recordingsUri: recordingsUri(batch, recordingsPrefix, name),
      });
    },
    readHead: (uri, rows) => readHead(services, uri, rows),
  };
}

function nameOf({ agent_name: name, version }: AgentDefinition): string {
  return formatReference({ name, version });
}

/** The batch with an input that no column is mapped to. */
function withInput(batch: Batch, input: JsonObject): Batch {
  const selection = { kind: "none" } as const;
  return { ...batch, inputMapping: { selection, columns: [], transformations: [], staticValues: input } };
}

async function rowOf(services: Services, batch: Batch, { row, cells, input }: TryChoice): Promise<NamedRow> {
  if (input !== undefined && row === undefined) return { header: [], row: { index: 0, line: 2, cells: [] } };
  if (row === undefined && cells !== undefined) return makeRow(batch, cells);
  return replaceCells(await readRow(services, batch, row ?? 0), cells ?? {});
}

async function readHead({ store }: Services, uri: string, many: number): Promise<TableHead> {
  const dialect = await detectDialect(store.read(uri), { ragged: "keep" });
  let header: readonly string[] | undefined;
  const rows: (readonly string[])[] = [];
  for await (const records of parseRecords(toUtf8(store.read(uri), dialect), dialect)) {
    for (const { cells } of records) {
      if (header === undefined) header = cells;
      else if (rows.length < many) rows.push(cells);
      else return { header, rows };
    }
    if (header !== undefined && rows.length >= many) break;
  }
  return { header: header ?? [], rows };
}
