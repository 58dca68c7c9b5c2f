import type { AgentDefinition } from "../core/agent.ts";
import { formatReference } from "../core/registry.ts";
import { invalid } from "../core/schema.ts";
import type { Services } from "../core/services.ts";
import type { TableHead, Workbench } from "./workbench-port.ts";
import { detectDialect, toUtf8 } from "../table/dialect.ts";
import { parseRecords } from "../table/parse.ts";
import { requireAllowedModule } from "../attempt/allowed-modules.ts";
import type { FigureSources } from "./estimate.ts";
import { loadBatch, loadBatchParts } from "../runs/load-batch.ts";
import { planBatch, type ExtraCheck } from "./plan.ts";
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
    readBatch: (value) => loadBatch(services, value, {}, ["input", "output"]),
    plan: async (value, choice) => {
      const { data: batch, problems, what } = await loadBatchParts(services, value);
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
    tryRow: (batch, choice) => tryRow(services, batch, { ...choice, recordingsPrefix }),
    readHead: (uri, rows) => readHead(services, uri, rows),
  };
}

function nameOf({ agent_name: name, version }: AgentDefinition): string {
  return formatReference({ name, version });
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
