import type { FailState } from "./definition.ts";
import { StateFailure } from "./state-failure.ts";
import { evaluateTypedIn, type Visit } from "./visit.ts";

/** Fails with the error and the cause that the state names. */
export async function runFail(visit: Visit<FailState>): Promise<never> {
  const field = async (name: "Error" | "Cause"): Promise<string | undefined> => {
    const text = visit.state[name];
    return text === undefined ? undefined : ((await evaluateTypedIn(visit, text, "string", name)) as string);
  };
  throw new StateFailure(await field("Error"), await field("Cause"));
}
