import type { RecordingLevel } from "./agent.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { Reference } from "./registry.ts";
import type { RetryPolicy } from "./retry.ts";

/** Metadata columns that are written when asked for by name. */
export const extraMetadataColumns = ["_row", "_attempts", "_error_code", "_agent_version", "_recording"] as const;
/** One of {@link extraMetadataColumns}. */
export type ExtraMetadataColumn = (typeof extraMetadataColumns)[number];

/** A column of the input passed as a field of the agent's input. */
export interface ColumnMapping {
  readonly column: string;
  readonly field: string;
  readonly required: boolean;
  readonly default?: JsonValue;
}

/** A field of the agent's input made from columns. */
export type Transformation = { readonly field: string; readonly required: boolean } & (
  | { readonly type: "concat"; readonly columns: readonly string[]; readonly separator: string }
  | { readonly type: "template"; readonly template: string }
  | { readonly type: "jsonpath"; readonly column: string; readonly path: string }
);

/** Columns passed under their own name. */
export type ColumnSelection =
  | { readonly kind: "none" }
  | { readonly kind: "include"; readonly columns: readonly string[] }
  | { readonly kind: "exclude"; readonly columns: readonly string[] };

/** From row to agent input; a later part wins over an earlier one where both set a field. */
export interface InputMapping {
  readonly selection: ColumnSelection;
  readonly columns: readonly ColumnMapping[];
  readonly transformations: readonly Transformation[];
  readonly staticValues: JsonObject;
}

/** From outcome to new columns. */
export interface OutputMapping {
  /** Undefined: the agent's `output_fields`. */
  readonly fields?: readonly string[];
  readonly includeOriginal: boolean;
  readonly addMetadata: boolean;
  readonly metadataColumns: readonly ExtraMetadataColumn[];
  readonly rename: Readonly<Record<string, string>>;
  readonly formulaSafe: boolean;
}

/** How the table is written down; what is absent is detected. */
export interface InputDialect {
  readonly delimiter?: "," | ";" | "\t" | "|";
  readonly encoding?: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";
  readonly ragged: "fail" | "pad" | "keep";
}

/** Where attempts are made: in the process of the run, or by workers that fetch them. */
export const dispatches = ["in_process", "activity"] as const;
/** One of {@link dispatches}. */
export type Dispatch = (typeof dispatches)[number];

/** How rows are run. */
export interface Execution {
  readonly maxConcurrency: number;
  readonly timeoutSeconds: number;
  readonly retry: RetryPolicy;
  readonly toleratedFailurePercentage?: number;
  readonly toleratedFailureCount?: number;
  readonly dedupe: boolean;
  /** Undefined: as the engine is set up. */
  readonly dispatch?: Dispatch;
  /** Longest silence of a worker before its rows go to another one. */
  readonly heartbeatSeconds: number;
  readonly rateLimit?: { readonly requestsPerSecond: number; readonly per: "agent" | "host" };
}

/** Who is told, and when. */
export interface Notifications {
  readonly onSuccess: boolean;
  readonly onFailure: boolean;
  /** Addresses that `openChannel` knows. */
  readonly channels: readonly string[];
}

/** A batch with every default filled in; plain JSON, as the journal keeps it. */
export interface Batch {
  readonly name?: string;
  readonly agent: Reference;
  readonly agentStateMachineArn?: string;
  readonly agentConfig: JsonObject;
  readonly inputUri?: string;
  readonly dialect: InputDialect;
  readonly output?: string;
  readonly inputMapping: InputMapping;
  readonly outputMapping: OutputMapping;
  readonly execution: Execution;
  readonly notifications: Notifications;
  readonly recording: { readonly level: RecordingLevel; readonly prefix?: string };
}

/** A batch that says where it reads and writes: a run is made of nothing less. */
export interface RunnableBatch extends Batch {
  readonly inputUri: string;
  readonly output: string;
}
