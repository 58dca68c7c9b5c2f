import type { Engine, RunLimits } from "../../src/core/engine.ts";
import { RowcallError } from "../../src/core/errors.ts";
import type { NewEvent } from "../../src/runs/execution-journal.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { Run } from "../../src/core/run.ts";
import {
  ExecutionFailure,
  type ExecutionContext,
  type StateMachine,
  type StateMachines,
} from "../../src/app/state-machine.ts";
import type { HistoryEvent } from "./history.ts";
import { createInterpreter, type Interpreter, type InterpreterOptions } from "./interpreter.ts";
import type { MapRunDescription } from "./map-run.ts";

/** What our Step Functions endpoint needs in order to serve machines that the interpreter runs. */
export interface InterpretedMachines {
  readonly interpreter: Interpreter;
  readonly machines: StateMachines;
  /** Runs are map runs here: they can be described and adjusted, and nothing else. */
  readonly engine: MapRunEngine;
}

/**
 * Makes an interpreter whose machines are served through the ports of our own endpoint: their events, map runs and redrives included.
 *
 * @param mapLabel - of the map states whose map runs are shown
 */
export function interpretMachines(options: InterpreterOptions, mapLabel?: string): InterpretedMachines {
  const listeners = new Map<string, (event: HistoryEvent) => void>();
  const interpreter = createInterpreter({ ...options, onEvent: (arn, event) => listeners.get(arn)?.(event) });
  const machineOf = (name: string): StateMachine | undefined => {
    const definition = options.machines[name];
    if (definition === undefined) return undefined;
    return {
      name,
      definition: definition as JsonObject,
      ...(mapLabel === undefined ? {} : { mapLabel }),
      run: (context) => runInterpreted(interpreter, name, context, listeners),
    };
  };
  return {
    interpreter,
    machines: {
      list: async () =>
        Object.keys(options.machines)
          .toSorted()
          .flatMap((name) => machineOf(name) ?? []),
      find: async (name) => machineOf(name),
    },
    engine: mapRunEngine(interpreter),
  };
}

async function runInterpreted(
  interpreter: Interpreter,
  machine: string,
  context: ExecutionContext,
  listeners: Map<string, (event: HistoryEvent) => void>,
): Promise<JsonValue> {
  const { execution, history, stop } = context;
  const stateMachineArn = interpreter.arnOf(machine);
  const arn = `${stateMachineArn.replace(":stateMachine:", ":execution:")}:${execution.name}`;
  listeners.set(arn, (event) => {
    const mapRun = mapRunIdIn(event);
    if (mapRun !== undefined) context.noteRun(mapRun);
    if (!event.type.startsWith("Execution")) context.tell(toNewEvent(event, mapRun));
  });
  const onStop = (): void => interpreter.stopExecution(arn);
  stop.addEventListener("abort", onStop, { once: true });
  try {
    if (history.at(-1)?.type === "ExecutionRedriven") interpreter.redriveExecution(arn);
    else {
      const { name, input, startedAt } = execution;
      interpreter.startExecution({ stateMachineArn, name, input, startedAt: new Date(startedAt) });
    }
    const { status, output, error, cause } = await interpreter.finished(arn);
    if (status === "SUCCEEDED") return JSON.parse(output ?? "null") as JsonValue;
    throw new ExecutionFailure(error ?? status, cause);
  } finally {
    listeners.delete(arn);
    stop.removeEventListener("abort", onStop);
  }
}

// What the endpoint itself adds to details when it shows them.
const shown = new Set(["inputDetails", "outputDetails", "mapRunArn"]);

function toNewEvent(event: HistoryEvent, mapRun: string | undefined): NewEvent {
  const { id: _id, previousEventId, timestamp: _at, type, ...others } = event;
  const [details] = Object.values(others) as (JsonObject | undefined)[];
  if (details === undefined) return { type, previous: previousEventId };
  const own: JsonObject = Object.fromEntries(Object.entries(details).filter(([key]) => !shown.has(key)));
  return {
    type,
    previous: previousEventId,
    details: { ...own, ...(mapRun === undefined ? {} : { mapRun }) },
  };
}

function mapRunIdIn(event: HistoryEvent): string | undefined {
  if (event.type !== "MapRunStarted" && event.type !== "MapRunRedriven") return undefined;
  const [details] = Object.values(event).filter(
    (value) => typeof value === "object" && value !== null && "mapRunArn" in value,
  );
  return (details as { readonly mapRunArn: string }).mapRunArn.split(":").at(-1);
}

type MapRunEngine = Pick<Engine, "describe" | "limits" | "rows" | "adjust">;

function mapRunEngine(interpreter: Interpreter): MapRunEngine {
  const find = (id: string): MapRunDescription => {
    const found = interpreter.findMapRun(id);
    if (found !== undefined) return found;
    throw new RowcallError("RUN_NOT_FOUND", `There is no map run ${id}`);
  };
  const limitsOf = (run: MapRunDescription): RunLimits => {
    const { maxConcurrency, toleratedFailureCount, toleratedFailurePercentage } = run;
    return { maxConcurrency, toleratedFailureCount, toleratedFailurePercentage };
  };
  return {
    describe: async (id) => toRun(id, find(id)),
    limits: async (id) => limitsOf(find(id)),
    adjust: async (id, change) => {
      interpreter.updateMapRun(find(id).mapRunArn, change);
      return limitsOf(find(id));
    },
    rows: () => {
      throw new Error("The rows of a map run are executions of the interpreter");
    },
  };
}

function toRun(id: string, { startDate, stopDate, status, itemCounts }: MapRunDescription): Run {
  const { total, succeeded, failed, timedOut, running, pending, aborted } = itemCounts;
  return {
    id,
    status: status === "RUNNING" ? "running" : status === "SUCCEEDED" ? "succeeded" : "stopped",
    agent: "",
    inputUri: "",
    counts: { total, succeeded, failed: failed + timedOut, inFlight: running, pending: pending + aborted },
    createdAt: startDate.getTime(),
    ...(stopDate === undefined ? {} : { endedAt: stopDate.getTime() }),
  };
}
