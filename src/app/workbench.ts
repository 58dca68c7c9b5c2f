import type { AgentDefinition } from "../core/agent.ts";
import type { Batch } from "../core/batch.ts";
import type { JsonObject } from "../core/json.ts";
import type { Services } from "../core/services.ts";
import type { TemplateDocument } from "../core/template.ts";
import { requireAllowedModule } from "../attempt/allowed-modules.ts";
import { loadBatch, loadBatchParts, type Place } from "../runs/load-batch.ts";
import { readTable } from "../table/read-table.ts";
import { makePlan, type PlanWiring } from "./make-plan.ts";
import type { Plan, PlanChoice } from "./plan.ts";
import { tryRow, type TryChoice, type TryResult } from "./try-row.ts";
import { validateAgent, validateTemplate } from "./validate-documents.ts";

/** The beginning of a table. */
export interface TableHead {
  readonly header: readonly string[];
  /** The first records, as many as were asked for. */
  readonly rows: readonly (readonly string[])[];
}

/** What a face needs of batches, agents and tables besides running them. */
export interface Workbench {
  /**
   * Reads the value of a batch file; relative paths start from the base directory.
   *
   * @param required - what it must name @default both
   * @throws RowcallError BATCH_INVALID with every problem in `details.problems`
   */
  readBatch(value: JsonObject, required?: readonly Place[]): Promise<Batch>;
  /** Everything short of running. @throws RowcallError BATCH_INVALID when nothing of the value can be read */
  plan(value: JsonObject, choice: PlanChoice): Promise<Plan>;
  /** Runs the agent once, without a run. @throws RowcallError for anything wrong with batch, agent or mapping */
  tryRow(batch: Batch, choice: TryChoice): Promise<TryResult>;
  /** @throws RowcallError as the store does; INPUT_EMPTY, INPUT_ENCODING, INPUT_MALFORMED */
  readHead(uri: string, rows: number): Promise<TableHead>;
  /** @throws RowcallError AGENT_INVALID, also for a module that who asks may not choose; AGENT_UNKNOWN */
  readAgent(value: unknown): Promise<AgentDefinition>;
  /** @throws RowcallError TEMPLATE_INVALID */
  readTemplate(value: unknown): TemplateDocument;
}

/** Puts planning, trying and reading together for a face that takes values rather than files. */
export function createWorkbench(wiring: PlanWiring): Workbench {
  const { services, recordingsPrefix } = wiring;
  return {
    readAgent: async (value) => {
      const agent = validateAgent(value, "agent");
      await requireAllowedModule(services, agent);
      return agent;
    },
    readTemplate: (value) => validateTemplate(value, "template"),
    readBatch: (value, required = ["input", "output"]) => loadBatch(services, value, {}, required),
    plan: async (value, choice) => makePlan(wiring, await loadBatchParts(services, value), choice),
    tryRow: (batch, choice) => tryRow(services, batch, { ...choice, recordingsPrefix }),
    readHead: (uri, rows) => readHead(services, uri, rows),
  };
}

async function readHead({ store }: Services, uri: string, many: number): Promise<TableHead> {
  const { header, rows } = await readTable(() => store.read(uri), { ragged: "keep" });
  const head: (readonly string[])[] = [];
  for await (const block of rows) {
    head.push(...block.slice(0, many - head.length).map(({ cells }) => cells));
    if (head.length === many) break;
  }
  return { header, rows: head };
}
