/**
 * Rowcall as a library.
 *
 * @example
 * const rowcall = await createRowcall();
 * try {
 *   const batch = await rowcall.readBatch("batch.json", { output: "results/" });
 *   const { ended } = await rowcall.start({ batch });
 *   const { outputUri, counts } = await ended;
 *   console.log(outputUri, counts);
 * } finally {
 *   await rowcall.close();
 * }
 *
 * @module
 */
export { createRowcall, type Rowcall, type RowcallOptions } from "./app/create-rowcall.ts";
export type { RunHandle } from "./app/run-host.ts";
export type { PlanRequest } from "./app/make-plan.ts";
export type { Plan, PlanChoice, PlanReport } from "./app/plan.ts";
export type { PlanCheck } from "./app/check.ts";
export type { Estimate, RowFigures } from "./app/estimate.ts";
export type { TryChoice, TryResult } from "./app/try-row.ts";
export { openAwsEngine, openEngine, wire, type AwsRuns, type WireOptions, type Wiring } from "./app/wire.ts";
export type { BatchOverrides, BatchSource } from "./runs/load-batch.ts";
export { loadBatch } from "./runs/load-batch.ts";
export { parseBatch } from "./core/batch-file.ts";
export type { Batch } from "./core/batch.ts";
export { errorTable, RowcallError, type ErrorCode, type Warning } from "./core/errors.ts";
export type { JsonObject, JsonValue } from "./core/json.ts";

export type {
  DeletedRun,
  Engine,
  ExportRequest,
  FailureSummary,
  KeptPlace,
  RerunChoice,
  RowFilter,
  RowOrder,
  RowPage,
  RowQuery,
  RowReport,
  RowSelection,
  RowStatus,
  RunCommands,
  RunEvent,
  RunLimits,
  RunObserver,
  RunQuery,
  RunReader,
  RunStarter,
  RunSurvey,
  StartRequest,
  WrittenTable,
} from "./core/engine.ts";
export type { RowCounts, Run, RunStatus } from "./core/run.ts";
export type { Artifact, Attempt, FailedOutcome, Outcome, StepRecord, SucceededOutcome } from "./core/attempt.ts";

export type { AgentFunction } from "./agents/function-agent.ts";
export type { AgentHost, HostedEnvironment, OpenHosted } from "./agents/agent-host.ts";
export type {
  AgentDefinition,
  AgentEnvironment,
  AgentInput,
  Artifacts,
  InvokeContext,
  Invoker,
  RecordingLevel,
} from "./core/agent.ts";
export type { ByteRange, ObjectInfo, ObjectStore, WriteOptions } from "./core/object-store.ts";
export type { OpenStore, StoreOptions } from "./stores/open-store.ts";
export type { ChannelOptions, ChannelScheme, Timing } from "./channels/channel-options.ts";
export type { Channel, Delivery, FailureCount, Notification } from "./core/channel.ts";
export type { Registry } from "./core/registry.ts";
export type { Clock, Clocks, Monotonic, Services } from "./core/services.ts";

export { createRowcallClient, type ClientEvent, type ClientOptions, type RowcallClient } from "./server/client.ts";
export type { BatchRequest, RunDetail } from "./server/api/schemas.ts";
