import { z } from "zod";
import { RowcallError } from "../../core/errors.ts";

/** The argument by which a user's consent to a price is passed on. */
export const confirmShape = {
  confirm_cost_usd: z
    .number()
    .min(0)
    .optional()
    .describe(
      "What the user agreed to pay, in US dollars; needed when the agent's rows cost money. Ask the user, do not decide it yourself",
    ),
};

/**
 * Lets through what costs nothing, or no more than the user agreed to.
 *
 * @param expectedUsd - undefined when it is not known
 * @throws RowcallError USAGE_INVALID, naming the price
 */
export function requireConfirmedCost(expectedUsd: number | undefined, confirmedUsd: number | undefined): void {
  if (expectedUsd === undefined || expectedUsd <= (confirmedUsd ?? 0)) return;
  const agreed = confirmedUsd === undefined ? "no cost was confirmed" : `only $${confirmedUsd} was confirmed`;
  throw new RowcallError("USAGE_INVALID", `This is expected to cost $${expectedUsd}, and ${agreed}`, {
    hint: `Ask the user; if they agree, call again with confirm_cost_usd: ${expectedUsd}.`,
  });
}
