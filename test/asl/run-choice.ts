import type { ChoiceState } from "./definition.ts";
import { StateFailure } from "./state-failure.ts";
import { evaluateTypedIn, inState, type Step, type Visit } from "./visit.ts";

/** Takes the first rule whose condition holds. */
export async function runChoice(visit: Visit<ChoiceState>): Promise<Step> {
  const { Choices, Default } = visit.state;
  for (const [index, rule] of Choices.entries()) {
    const at = `Choices[${index}]/`;
    const holds = await evaluateTypedIn(visit, rule.Condition, "boolean", `${at}Condition`);
    if (holds === true) return { outcome: rule, at, next: rule.Next };
  }
  if (Default !== undefined) return { outcome: visit.state, at: "", next: Default };
  throw new StateFailure(
    "States.Runtime",
    inState(visit, "Failed to transition out of the state. The state does not point to a next state."),
  );
}
