/**
 * Rowcall as a library: open the engine, read a batch, start it.
 *
 * @example
 * const wiring = wire();
 * const engine = await openEngine(wiring);
 * try {
 *   const batch = await loadBatch(wiring.services, "batch.json", { output: "results/" });
 *   const run = await engine.start({ batch });
 *   console.log(run.outputUri, run.counts);
 * } finally {
 *   await engine.close();
 * }
 *
 * @module
 */
export type { AgentDefinition, AgentInput, Artifacts, InvokeContext } from "./core/agent.ts";
export type { Attempt, Outcome } from "./core/attempt.ts";
export { type Batch } from "./core/batch.ts";
export { parseBatch } from "./core/batch-file.ts";
export type { Delivery } from "./core/channel.ts";
export type {
  Engine,
  ExportRequest,
  RowFilter,
  RowReport,
  RunEvent,
  RunObserver,
  StartRequest,
} from "./core/engine.ts";
export { errorTable, RowcallError, type ErrorCode } from "./core/errors.ts";
export type { JsonObject, JsonValue } from "./core/json.ts";
export type { RowCounts, Run, RunStatus } from "./core/run.ts";
export type { Services } from "./core/services.ts";
export { loadBatch, type BatchOverrides } from "./engines/load-batch.ts";
export { openLocalEngine, type LocalEngineOptions } from "./engines/local/local-engine.ts";
export {
  createRowcallClient,
  type BatchRequest,
  type ClientEvent,
  type ClientOptions,
  type RowcallClient,
  type RunDetail,
} from "./server/client.ts";
export { openEngine, wire, type WireOptions, type Wiring } from "./wire.ts";
export type { AgentFunction } from "./agents/function-agent.ts";
