import type { TestContext } from "node:test";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import {
  createInterpreter,
  type ExecutionDescription,
  type Interpreter,
  type InterpreterOptions,
} from "./interpreter.ts";
import { runToEnd } from "./run-to-end.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

/** An interpreter and its time; closed with the test. */
export interface TestInterpreter extends Interpreter {
  readonly time: VirtualClock;
  /** Starts an execution of a machine by its name. */
  start(machine: string, input?: JsonValue, name?: string): string;
  /** Runs a machine to its end. */
  run(machine: string, input?: JsonValue): Promise<ExecutionDescription>;
  /** Types of an execution's events. */
  types(executionArn: string): readonly string[];
}

/** Makes an interpreter for a test. */
export function testInterpreter(
  context: TestContext,
  machines: Readonly<Record<string, JsonObject>>,
  { time = createVirtualClock(), ...options }: Partial<InterpreterOptions> & { readonly time?: VirtualClock } = {},
): TestInterpreter {
  const interpreter = createInterpreter({ machines, clock: time.clock, wait: time.wait, ...options });
  context.after(() => interpreter.close());
  const start: TestInterpreter["start"] = (machine, input = {}, name) =>
    interpreter.startExecution({
      stateMachineArn: interpreter.arnOf(machine),
      input: JSON.stringify(input),
      ...(name === undefined ? {} : { name }),
    }).executionArn;
  return {
    ...interpreter,
    time,
    start,
    run: (machine, input) => runToEnd(interpreter, time, start(machine, input)),
    types: (arn) => interpreter.history(arn).map(({ type }) => type),
  };
}

/** A machine of states that stand in their order; the last one ends it. */
export function machineOf(states: Readonly<Record<string, JsonObject>>): JsonObject {
  return { QueryLanguage: "JSONata", ...sequenceOf(states) };
}

/** The same, for branches and item processors. */
export function sequenceOf(states: Readonly<Record<string, JsonObject>>): JsonObject {
  const names = Object.keys(states);
  const joined = Object.entries(states).map(([name, state], index): [string, JsonObject] => {
    if (["Choice", "Fail", "Succeed"].includes(String(state["Type"])) || "Next" in state || "End" in state)
      return [name, state];
    const next = names[index + 1];
    return [name, { ...state, ...(next === undefined ? { End: true } : { Next: next }) }];
  });
  return { StartAt: names[0] ?? "", States: Object.fromEntries(joined) };
}
