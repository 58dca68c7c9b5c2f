import type { Batch } from "../core/batch.ts";
import type { Engine, RerunChoice, StartRequest } from "../core/engine.ts";
import type { JsonObject } from "../core/json.ts";
import type { Registry } from "../core/registry.ts";
import type { Run } from "../core/run.ts";
import { loadBatch, type BatchOverrides } from "../runs/load-batch.ts";
import { findRun } from "./find-run.ts";
import { makePlan, type PlanRequest } from "./make-plan.ts";
import type { Plan } from "./plan.ts";
import { createRunHost, type RunHandle } from "./run-host.ts";
import { tryRow, type TryChoice, type TryResult } from "./try-row.ts";
import { openAwsEngine, openEngine, wire, type AwsRuns, type WireOptions } from "./wire.ts";

/** How a {@link Rowcall} is put together. */
export interface RowcallOptions extends WireOptions {
  /** A batch processor that is deployed on AWS, to run batches there. @default this process */
  readonly awsProcessor?: AwsRuns;
}

/** Rowcall in a program of your own; who creates it closes it. */
export interface Rowcall {
  /**
   * Reads a batch file, or checks a batch that is there as an object; relative paths start from the file's folder, else from the
   * working directory.
   *
   * @param source - path or URI, or the value of a batch file
   * @throws RowcallError BATCH_NOT_FOUND; BATCH_INVALID with every problem in `details.problems`
   */
  readBatch(source: string | JsonObject, overrides?: BatchOverrides): Promise<Batch>;
  /** Everything short of running: checks, how rows are mapped, what a run is expected to take. */
  plan(batch: Batch, request?: Omit<PlanRequest, "aws">): Promise<Plan>;
  /** Runs the agent once, without a run. @throws RowcallError for anything wrong with batch, agent or mapping */
  try(batch: Batch, choice?: TryChoice): Promise<TryResult>;
  /**
   * Starts a run, which goes on after this has settled.
   *
   * @throws RowcallError for anything wrong with batch, agent or input, before a row has run
   */
  start(request: StartRequest): Promise<RunHandle>;
  /**
   * Goes on with a run that is interrupted or stopped, and takes back the pause of one that is paused: `how` says which it came to. One
   * that has finished is shown.
   *
   * @param id - its id or name
   */
  resume(id: string): Promise<RunHandle>;
  /** Attempts failed rows again, all or those chosen. @param id - its id or name */
  rerun(id: string, choice?: RerunChoice): Promise<RunHandle>;
  /** Finds a run by its id, the beginning of one, its name, or `last`. @throws RowcallError RUN_NOT_FOUND; USAGE_INVALID when several are meant */
  find(text: string): Promise<Run>;
  /** Reads runs and their rows, steers, exports and deletes them, whoever started them. */
  readonly runs: Omit<Engine, "start" | "resume" | "rerun" | "close">;
  /** Agents and templates. */
  readonly registry: Registry;
  /**
   * Lets rows in flight finish, and lets go of everything.
   *
   * @returns the runs that were going, as they ended: `interrupted` ones can be resumed
   */
  close(): Promise<readonly Run[]>;
}

/**
 * Puts Rowcall together for a program that uses it.
 *
 * @throws RowcallError STORE_DENIED when the data directory cannot be made; JOURNAL_UNREADABLE
 * @example
 * const rowcall = await createRowcall();
 * const batch = await rowcall.readBatch("batch.json", { output: "results/" });
 * const { ended } = await rowcall.start({ batch });
 * console.log((await ended).counts);
 * await rowcall.close();
 */
export async function createRowcall(options: RowcallOptions = {}): Promise<Rowcall> {
  const wiring = wire(options);
  const { services, recordingsPrefix } = wiring;
  const { awsProcessor: processor } = options;
  const engine = await (processor === undefined ? openEngine(wiring) : openAwsEngine(wiring, processor));
  const host = createRunHost(engine);
  return {
    readBatch: (source, overrides) => loadBatch(services, source, overrides),
    plan: (batch, request) =>
      makePlan(wiring, { data: batch, problems: [], what: "batch" }, { ...request, aws: processor && {} }),
    try: (batch, choice) => tryRow(services, batch, { ...choice, recordingsPrefix }),
    start: host.start,
    resume: host.resume,
    rerun: host.rerun,
    find: (text) => findRun(engine, text),
    runs: engine,
    registry: services.registry,
    close: async () => {
      try {
        return await host.drain();
      } finally {
        await engine.close();
      }
    },
  };
}
