import type { AgentDefinition, Invoker } from "../core/agent.ts";
import type { Batch } from "../core/batch.ts";
import type { RowSelection } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import { formatReference, referenceOf } from "../core/registry.ts";
import { rowAndLine } from "../core/row.ts";
import type { Problem } from "../core/schema.ts";
import type { Services } from "../core/services.ts";
import type { Dialect } from "../table/dialect.ts";
import { outputColumns } from "../table/enrich.ts";
import { attemptRow } from "../attempt/attempt-row.ts";
import { checkAgent, checkChannels, checkOpening, checkOutput } from "./agent-checks.ts";
import { checkProblems, checkThrown, checkTitles, createCheck, type Check, type PlanCheck } from "./check.ts";
import { chooseFigures, estimateRun, type EarlierRows, type Estimate, type FigureSources } from "./estimate.ts";
import { inspectTable, type FoundRows, type InputBytes, type TableReport } from "../table/inspect-table.ts";
import { checkTable } from "./table-checks.ts";

/** What a plan looks at, and how much of it is shown. */
export interface PlanChoice {
  /** Only these rows. @default all */
  readonly rows?: RowSelection;
  /** Only the first so many of the rows chosen. @default all */
  readonly limit?: number;
  /** Whether an output file that exists may be replaced. @default false */
  readonly force?: boolean;
  /** Mapped inputs shown. @default 3 */
  readonly sampleSize?: number;
  /** Invalid and duplicate rows listed; all are counted. @default 20 */
  readonly listSize?: number;
}

/** What was found out about a batch without running it; plain data. */
export interface PlanReport extends FoundRows {
  /** Whether nothing keeps the batch from running. */
  readonly runnable: boolean;
  /** `name@version`, or as the batch names it while the agent is not known. */
  readonly agent: string;
  readonly checks: readonly PlanCheck[];
  /** Undefined when the input could not be read. */
  readonly input?: {
    readonly uri: string;
    readonly dialect: { readonly encoding: string; readonly delimiter: string; readonly bom: boolean };
    readonly header: readonly string[];
    /** Records after the header. */
    readonly rows: number;
  };
  /** Rows that would run: those chosen. */
  readonly rows: number;
  readonly inputBytes: InputBytes;
  /** Every column of the output, original ones first; `_error_message` is written only when a row fails. */
  readonly outputColumns: readonly string[];
  readonly estimate: Estimate;
}

/** A check that the caller adds, since it needs what engines do not know, such as a browser. */
export type ExtraCheck = (definition: AgentDefinition | undefined) => Promise<Check>;

/** How a batch is planned. */
export interface PlanOptions extends PlanChoice {
  /** What is wrong with the batch file, when the rest of it is planned all the same. @default [] */
  readonly fileProblems?: readonly Problem[];
  /** @default [] */
  readonly extraChecks?: readonly ExtraCheck[];
  /** Runs the first valid row for the check that only a run can make; its artifacts go under this prefix. Costs one row. */
  readonly probe?: { readonly recordingsUri: string };
  /** Seconds and price of a row, where they are known better than from earlier rows and from the agent. */
  readonly given?: FigureSources["given"];
  /** What earlier rows of an agent took, `name@version`. @default nobody knows */
  readonly measure?: (agent: string) => Promise<EarlierRows | undefined>;
}

/** A plan with all that is known on this machine. */
export interface Plan extends PlanReport {
  readonly checks: readonly Check[];
  readonly input?: NonNullable<PlanReport["input"]> & { readonly dialect: Dialect };
}

/**
 * Everything short of running a batch: agent, template, places, mapping and every row of the input are checked, and every
 * problem is listed at once. Never throws for what is wrong with the batch.
 */
export async function planBatch(services: Services, batch: Batch, options: PlanOptions = {}): Promise<Plan> {
  const { definition, fields, checks: agentChecks } = await checkAgent(services, batch);
  const agent = definition === undefined ? formatReference(batch.agent) : referenceOf(definition);
  const extraChecks = await Promise.all((options.extraChecks ?? []).map((check) => check(definition)));
  const measured = definition && (await options.measure?.(agent));
  const opened = await checkOpening(services, batch, definition);
  try {
    const read = await readTable(services, batch, definition, opened.invoker, options);
    const { table } = read;
    const probe = await probeAgent(services, batch, definition, opened.invoker, table, options);
    const checks = inOrder([
      ...(options.fileProblems === undefined
        ? []
        : [checkProblems("batch_file", options.fileProblems, "Every key and value is known")]),
      ...agentChecks,
      ...extraChecks,
      sayOnce(opened.check, extraChecks),
      probe.check,
      ...read.checks,
      await checkOutput(services, batch, options.force === true),
      await checkChannels(services, batch),
      ...checkFormulas(batch, definition, measured),
      ...(await checkTable({ batch, definition, fields, table, rows: options.rows })),
    ]);
    return {
      runnable: checks.every(({ status }) => status !== "failed"),
      agent,
      checks,
      ...(table === undefined
        ? {}
        : { input: { uri: batch.inputUri ?? "", dialect: table.dialect, header: table.header, rows: table.rows } }),
      rows: table?.chosen ?? 0,
      inputBytes: table?.inputBytes ?? { largest: 0, total: 0 },
      outputColumns: [
        ...(batch.outputMapping.includeOriginal ? (table?.header ?? []) : []),
        ...outputColumns(batch.outputMapping, fields),
      ],
      sample: table?.sample ?? [],
      invalid: table?.invalid ?? { count: 0, first: [] },
      duplicates: table?.duplicates ?? { count: 0, first: [], isComplete: true },
      estimate: estimateRun(
        table === undefined ? 0 : rowsAsking(batch, table),
        batch.execution.maxConcurrency,
        chooseFigures({
          given: options.given,
          measured: measured ?? probe.measured,
          declared: definition?.estimate,
        }),
      ),
    };
  } finally {
    await opened.invoker?.close();
  }
}

interface ReadTable {
  readonly checks: readonly Check[];
  readonly table?: TableReport;
}

async function readTable(
  services: Services,
  batch: Batch,
  definition: AgentDefinition | undefined,
  invoker: Invoker | undefined,
  options: PlanOptions,
): Promise<ReadTable> {
  const { inputUri } = batch;
  if (inputUri === undefined) {
    const check = createCheck(
      "input_accessible",
      "failed",
      "The batch names no input",
      "Give --input, or set input in the batch file.",
    );
    return { checks: [check, createCheck("table", "skipped", "There is no input")] };
  }
  try {
    const table = await inspectTable({
      services,
      batch,
      inputUri,
      definition,
      preview: invoker?.preview === undefined ? undefined : (input) => invoker.preview?.(input),
      rows: options.rows,
      limit: options.limit,
      sampleSize: options.sampleSize ?? 3,
      listSize: options.listSize ?? 20,
    });
    const { encoding, bom, delimiter, lineEnd } = table.dialect;
    const dialect = `${encoding}${bom ? " with a byte order mark" : ""}, delimiter ${JSON.stringify(delimiter)}, line end ${JSON.stringify(lineEnd)}`;
    return {
      checks: [
        createCheck("input_accessible", "passed", inputUri),
        createCheck("table", "passed", `${table.rows} rows, ${table.header.length} columns; ${dialect}`),
      ],
      table,
    };
  } catch (thrown) {
    if (thrown instanceof RowcallError && thrown.code.startsWith("INPUT_") && thrown.code !== "INPUT_NOT_FOUND") {
      return { checks: [createCheck("input_accessible", "passed", inputUri), checkThrown("table", thrown)] };
    }
    return {
      checks: [checkThrown("input_accessible", thrown), createCheck("table", "skipped", "The input could not be read")],
    };
  }
}

async function probeAgent(
  services: Services,
  batch: Batch,
  definition: AgentDefinition | undefined,
  invoker: Invoker | undefined,
  table: TableReport | undefined,
  { probe }: PlanOptions,
): Promise<{ check: Check; measured?: EarlierRows }> {
  const skip = (why: string, hint?: string): { check: Check } => ({
    check: createCheck("structured_output_returned", "skipped", why, hint),
  });
  if (probe === undefined)
    return skip("Only running a row can tell", "Run one: `rowcall try`, or `rowcall plan --probe`.");
  const row = table?.sample[0];
  if (definition === undefined || invoker === undefined || row === undefined)
    return skip("There is no row that could be run");
  try {
    const { attempt } = await attemptRow(services, {
      batch,
      definition,
      invoker,
      row: row.row,
      input: row.input,
      recordingsUri: probe.recordingsUri,
    });
    const seconds = (attempt.endedAt - attempt.startedAt) / 1000;
    const { outcome } = attempt;
    if (outcome.status === "succeeded") {
      return {
        check: createCheck(
          "structured_output_returned",
          "passed",
          `Row ${rowAndLine(row.row, row.line)} answered in ${seconds.toFixed(1)} s`,
        ),
        measured: { secondsPerRow: seconds, rows: 1 },
      };
    }
    // A row may fail for its own sake; an answer without structured output fails every row.
    const status = outcome.code === "OUTPUT_MISSING" ? "failed" : "warning";
    return {
      check: createCheck(
        "structured_output_returned",
        status,
        `Row ${rowAndLine(row.row, row.line)} failed: ${outcome.message} (${outcome.code})`,
        outcome.hint ?? "`rowcall try` shows everything about it.",
      ),
    };
  } catch (thrown) {
    return { check: checkThrown("structured_output_returned", thrown) };
  }
}

// Said only when it has come up: cells stay as the agent gave them unless the batch asks for more.
function checkFormulas(
  { outputMapping }: Batch,
  definition: AgentDefinition | undefined,
  earlier: EarlierRows | undefined,
): readonly Check[] {
  if (earlier?.formulas === undefined || outputMapping.formulaSafe) return [];
  const { rows, field } = earlier.formulas;
  const whose = definition?.kind === "function" ? "the agent's function" : "others: a site, a service or a model";
  return [
    createCheck(
      "formulas",
      "warning",
      `In ${rows} of ${earlier.rows} earlier rows the agent gave a text that a spreadsheet would run as a formula, first in "${field}"; it came from ${whose}`,
      "Set output_mapping.formula_safe when the output is opened in a spreadsheet: such new cells get an apostrophe.",
    ),
  ];
}

// When the mapping does not fit yet, no row is known to be valid: then all of them are reckoned with.
function rowsAsking({ execution }: Batch, { valid, invalid, chosen, duplicates }: TableReport): number {
  return (valid + invalid.count === 0 ? chosen : valid) - (execution.dedupe ? duplicates.count : 0);
}

// Opening finds again what a check of its own has found already.
function sayOnce(opening: Check, others: readonly Check[]): Check {
  const earlier = others.find(({ status, detail }) => status === "failed" && detail === opening.detail);
  return opening.status === "failed" && earlier !== undefined
    ? createCheck("agent_opens", "skipped", `See "${earlier.title}"`)
    : opening;
}

function inOrder(checks: readonly Check[]): readonly Check[] {
  const order = Object.keys(checkTitles);
  return checks.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}
