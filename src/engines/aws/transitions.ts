import { RowcallError } from "../../core/errors.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { agentDefinition, type BrowserHost } from "./agent-definition.ts";
import { type Definition, type State, rowDefinition } from "./row-definition.ts";
import { batchDefinition } from "./batch-definition.ts";

/** How many states are passed, each of which is a transition that is paid for. */
export interface Transitions {
  /** Of the batch's own execution, from Prepare to its end. */
  readonly run: number;
  /** Of a row: its execution's start, and its first attempt. */
  readonly row: number;
  /** What another attempt adds. */
  readonly retry: number;
  /** What giving a row up adds. */
  readonly failedRow: number;
  /** Of a browser agent's own machine, for each attempt; by how it ends. */
  readonly agent: { readonly succeeded: number; readonly failed: number };
}

/** How a browser agent's attempts are made: by workers, or by a function. */
export const browserHosts = ["fleet", "lambda"] as const;
/** One of {@link browserHosts}. */
export type BrowserHostName = (typeof browserHosts)[number];

// Step Functions counts the start of a map's child as a transition.
const childStart = 1;

/** Counts transitions in the definitions that are deployed. */
export function countTransitions(host: BrowserHostName): Transitions {
  const partition = "aws";
  const batch = batchDefinition({ partition, prepareArn: "", finishArn: "", defaultTopicArn: "" });
  const row = rowDefinition(partition, "state_machine");
  const agent = agentDefinition({ partition, agent: "", resolveArn: "", host: hostOf(host) });
  const attempt = statesPassed(row, ["End"]);
  const failed = statesPassed(row, ["Catch", "Default", "End"]);
  const retried = statesPassed(row, ["Catch", 1, "Next", "End"]);
  // Workers name their errors themselves, which nobody catches; a function's are put into our words.
  const agentFailed: readonly Way[] = host === "fleet" ? ["End"] : ["Catch", "End"];
  return {
    run: statesPassed(batch, ["Next", 2, "Next", "Next", 0, "Next", "Default", "End"]),
    row: childStart + attempt,
    retry: retried - attempt,
    failedRow: failed - attempt,
    agent: {
      succeeded: statesPassed(agent, [0, "End"]),
      failed: statesPassed(agent, [0, ...agentFailed]),
    },
  };
}

/** How a state is left: a number is the place among its choices; `End` stands for every state that has no next. */
type Way = "Next" | "Catch" | "Default" | "End" | number;

/** How many states an execution passes that leaves them in these ways; throws when they do not lead to an end. */
function statesPassed({ StartAt, States }: Pick<Definition, "StartAt" | "States">, ways: readonly Way[]): number {
  let name: string | undefined = StartAt;
  for (const way of ways) {
    const state: State | undefined = name === undefined ? undefined : States[name];
    name = state === undefined ? undefined : leave(state, way);
    if (name === undefined)
      throw new RowcallError("UNEXPECTED", `No state of the definition is left by ${way}`, {
        hint: "The definition has changed: correct the ways in transitions.ts.",
      });
  }
  return ways.length;
}

function leave(state: State, way: Way): string | undefined {
  if (way === "End") return state["End"] === true || ["Succeed", "Fail"].includes(state.Type) ? "" : undefined;
  if (way === "Catch") return nextIn(state["Catch"], 0);
  if (typeof way === "number") return nextIn(state["Choices"], way);
  const next = state[way];
  return typeof next === "string" ? next : undefined;
}

function nextIn(list: JsonValue | undefined, place: number): string | undefined {
  const entry = Array.isArray(list) ? (list[place] as JsonValue) : undefined;
  const next = isJsonObject(entry) ? entry["Next"] : undefined;
  return typeof next === "string" ? next : undefined;
}

function hostOf(host: BrowserHostName): BrowserHost {
  return host === "fleet"
    ? { kind: "activity", activityArn: "", heartbeatSeconds: 60 }
    : { kind: "function", functionArn: "" };
}
