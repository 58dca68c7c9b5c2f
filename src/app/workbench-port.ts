import type { AgentDefinition } from "../core/agent.ts";
import type { Attempt } from "../core/attempt.ts";
import type { Batch } from "../core/batch.ts";
import type { RowSelection } from "../core/engine.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Problem } from "../core/schema.ts";
import type { TemplateDocument } from "../core/template.ts";
import type { FoundRows, InputBytes } from "../table/inspect-table.ts";

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

/** What one row takes, and where the figures come from. */
export interface RowFigures {
  readonly secondsPerRow?: number;
  readonly costPerRowUsd?: number;
  /** Where they come from, in words. */
  readonly basis: string;
}

/** What a run is expected to take; what is absent is not known. */
export interface Estimate extends RowFigures {
  /** Rows that call the agent. */
  readonly rows: number;
  readonly concurrency: number;
  readonly seconds?: number;
  readonly costUsd?: number;
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

/** One thing that was looked at before a run. */
export interface PlanCheck {
  readonly id: string;
  readonly title: string;
  /** `failed` keeps a batch from running, `warning` does not; `skipped` could not be made, or has nothing to look at. */
  readonly status: "passed" | "failed" | "warning" | "skipped";
  /** What was found, with the values. */
  readonly detail: string;
  readonly hint?: string;
  /** When several things are wrong: each, with its own hint. */
  readonly problems?: readonly Problem[];
}

/** One row to try outside a run. */
export interface TryChoice {
  /** 0-based row of the batch's input. @default none: the row is made of `cells` alone, or 0 when these are absent too */
  readonly row?: number;
  /** Cells by column, laid over those of the row. */
  readonly cells?: Readonly<Record<string, string>>;
  /** The agent's input as it is; then nothing is mapped. */
  readonly input?: JsonObject;
}

/** Everything about one row and its attempt; plain data. */
export interface TryResult {
  /** `name@version`. */
  readonly agent: string;
  readonly row: number;
  /** 1-based line of the input. */
  readonly line: number;
  /** Original cells by column. */
  readonly cells: Readonly<Record<string, string>>;
  /** Undefined when the row cannot be mapped. */
  readonly input?: JsonObject;
  /** What the agent would do with the input, where its kind can tell. */
  readonly preview?: JsonValue;
  /** What the agent answered, before anything was made of it. */
  readonly reply?: JsonValue;
  readonly attempt: Attempt;
  /** The row as the output would have it. */
  readonly enriched: readonly { readonly column: string; readonly value: string }[];
}

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
   * @throws RowcallError BATCH_INVALID with every problem in `details.problems`
   */
  readBatch(value: JsonObject): Promise<Batch>;
  /** Everything short of running. @throws RowcallError BATCH_INVALID when nothing of the value can be read */
  plan(value: JsonObject, choice: PlanChoice): Promise<PlanReport>;
  /** Runs the agent once, without a run. @throws RowcallError for anything wrong with batch, agent or mapping */
  tryRow(batch: Batch, choice: TryChoice): Promise<TryResult>;
  /** @throws RowcallError as the store does; INPUT_EMPTY, INPUT_ENCODING, INPUT_MALFORMED */
  readHead(uri: string, rows: number): Promise<TableHead>;
  /** @throws RowcallError AGENT_INVALID, also for a module that who asks may not choose; AGENT_UNKNOWN */
  readAgent(value: unknown): Promise<AgentDefinition>;
  /** @throws RowcallError TEMPLATE_INVALID */
  readTemplate(value: unknown): TemplateDocument;
}
