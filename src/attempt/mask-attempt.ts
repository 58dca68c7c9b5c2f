import type { Outcome } from "../core/attempt.ts";
import type { JsonObject } from "../core/json.ts";
import { noMask, type Mask } from "../core/mask.ts";

/** An outcome without an agent's secrets; the same one when it holds none. */
export function maskOutcome(mask: Mask, outcome: Outcome): Outcome {
  if (mask === noMask) return outcome;
  if (outcome.status === "succeeded") {
    const output = mask.value(outcome.output) as JsonObject;
    return output === outcome.output ? outcome : { status: "succeeded", output };
  }
  const { message, hint } = outcome;
  return { ...outcome, message: mask.text(message), ...(hint === undefined ? {} : { hint: mask.text(hint) }) };
}
