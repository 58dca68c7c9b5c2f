import type { Engine, RunEvent, RunObserver } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Execution, HistoryEvent } from "../../runs/execution-journal.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { type ExecutionContext, type StateMachine, batchOutput, failureOf } from "../state-machine.ts";
import { loadBatch, batchOfInput } from "../../runs/load-batch.ts";
import { lookUpRun } from "../find-run.ts";
import { batchDefinition, batchLabel, batchState } from "./definitions.ts";

/** What a machine that runs batches stands on. */
export interface BatchMachineOptions {
  /** `batch-processor-prod`. */
  readonly name: string;
  readonly engine: Engine;
  readonly services: Services;
}

/** A machine each of whose executions is a run of the batch that its input describes. */
export function createBatchMachine(options: BatchMachineOptions): StateMachine {
  return {
    name: options.name,
    definition: batchDefinition,
    mapLabel: batchLabel,
    run: async (context) => {
      const history = openMapHistory(context);
      history.enter();
      const onStop = (): void => history.abort();
      context.stop.addEventListener("abort", onStop, { once: true });
      try {
        const output = batchOutput(await runBatch(options, context, history));
        history.succeed(output);
        return output;
      } catch (thrown) {
        if (!isInterrupted(thrown)) history.fail(thrown);
        throw thrown;
      } finally {
        context.stop.removeEventListener("abort", onStop);
      }
    },
  };
}

async function runBatch(options: BatchMachineOptions, context: ExecutionContext, history: MapHistory): Promise<Run> {
  const { engine } = options;
  const { execution } = context;
  const observer: RunObserver = {
    drain: AbortSignal.any([context.stop, context.drain]),
    onEvent: (event: RunEvent) => {
      if (event.type !== "started") return;
      context.noteRun(event.run.id);
      history.begin(event.run.id);
    },
  };
  if (execution.runId === undefined) return startRun(options, context, observer);
  const { counts } = await engine.describe(execution.runId);
  // As Step Functions does it: a redrive also runs again what had failed.
  if (history.isRedriven && counts.failed > 0) return engine.rerun(execution.runId, {}, observer);
  return engine.resume(execution.runId, observer);
}

async function startRun(
  { engine, services, name }: BatchMachineOptions,
  { execution, input }: ExecutionContext,
  observer: RunObserver,
): Promise<Run> {
  const source = batchOfInput(input);
  const batch = await loadBatch(services, source, {}, ["input", "output"]);
  return engine.start({ batch, name: await runName(engine, name, execution) }, observer);
}

/** Derived from the execution, so that a process that ended before it noted the run finds it again. */
async function runName(engine: Engine, machine: string, { name, startedAt }: Execution): Promise<string> {
  const plain = `${machine}/${name}`;
  const earlier = await lookUpRun(engine, plain);
  // A run from before this execution is another one's, long forgotten.
  const isOther = earlier !== undefined && earlier.createdAt < startedAt;
  return isOther ? `${plain}@${new Date(startedAt).toISOString()}` : plain;
}

function isInterrupted(thrown: unknown): boolean {
  return thrown instanceof RowcallError && thrown.code === "INTERRUPTED";
}

/** What an execution tells of its map state, in Step Functions' words and order, wherever an earlier process left off. */
interface MapHistory {
  readonly isRedriven: boolean;
  enter(): void;
  begin(runId: string): void;
  succeed(output: JsonObject): void;
  fail(thrown: unknown): void;
  abort(): void;
}

function openMapHistory({ execution, history, tell }: ExecutionContext): MapHistory {
  const last = (...types: string[]): HistoryEvent | undefined => history.findLast(({ type }) => types.includes(type));
  const isRedriven = history.at(-1)?.type === "ExecutionRedriven";
  let entered = last("MapStateEntered")?.id;
  let begun = isRedriven ? undefined : last("MapRunStarted", "MapRunRedriven")?.id;
  return {
    isRedriven,
    enter: () => {
      const details = { name: batchState, input: execution.input };
      entered ??= tell({ type: "MapStateEntered", details, previous: 0 });
    },
    begin: (runId) => {
      if (begun !== undefined) return;
      if (last("MapRunStarted") === undefined) {
        // With an ItemReader Step Functions says 0, however many there are.
        tell({
          type: "MapStateStarted",
          details: { length: 0 },
          ...(entered === undefined ? {} : { previous: entered }),
        });
        begun = tell({ type: "MapRunStarted", details: { mapRun: runId } });
      } else {
        begun = tell({ type: "MapRunRedriven", details: { mapRun: runId, redriveCount: execution.redrives } });
      }
    },
    succeed: (output) => {
      const succeeded = tell({ type: "MapRunSucceeded", ...after(begun) });
      tell({ type: "MapStateSucceeded" });
      const details = { name: batchState, output: JSON.stringify(output) };
      tell({ type: "MapStateExited", details, previous: succeeded });
    },
    fail: (thrown) => {
      if (begun === undefined) return;
      tell({ type: "MapRunFailed", details: { ...failureOf(thrown) }, ...after(begun) });
      tell({ type: "MapStateFailed" });
    },
    abort: () => {
      if (begun === undefined) return;
      tell({ type: "MapRunAborted", ...after(begun) });
      tell({ type: "MapStateAborted" });
    },
  };
}

function after(event: number | undefined): { readonly previous?: number } {
  return event === undefined ? {} : { previous: event };
}
