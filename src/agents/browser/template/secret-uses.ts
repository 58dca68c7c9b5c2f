import { RowcallError } from "../../../core/errors.ts";
import type { JsonValue } from "../../../core/json.ts";
import { variablesOf } from "../../../core/render.ts";
import type { Problem } from "../../../core/schema.ts";
import { innerSteps, walkSteps, type Step } from "./steps.ts";

/** Returns whether a template's text or value uses a secret. */
export function usesSecrets(value: unknown): boolean {
  return secretsIn(value).length > 0;
}

/** Names of the secrets that a template's steps type. */
export function secretsOf(steps: readonly Step[]): readonly string[] {
  const values = [...walkSteps(steps)].flatMap(([, step]) => (step.action === "fill" ? [step.value] : []));
  return [...new Set(values.flatMap(secretsIn))];
}

/**
 * Secrets that are used for anything but typing: in an address, a condition or a message they would be on the way to where people
 * look, or to another site.
 */
export function secretProblems(steps: readonly Step[]): readonly Problem[] {
  return [...walkSteps(steps)].flatMap(([path, step]) => {
    const inner = innerSteps(step).length > 0 ? ["then", "else", "steps", "catch"] : [];
    const typed = step.action === "fill" ? ["value"] : [];
    const own = Object.entries(step).filter(([key]) => ![...inner, ...typed].includes(key));
    return placeProblems(path, Object.fromEntries(own));
  });
}

/** As {@link secretProblems}, for what is no step. */
export function placeProblems(path: string, value: unknown): readonly Problem[] {
  return secretsIn(value).map((name) => ({
    path,
    message: `uses {{secret.${name}}}, and a secret can only be typed`,
    hint: "Use it in the value of a fill step and nowhere else, least of all in an address.",
  }));
}

/**
 * Refuses a template that types secrets which its agent does not have.
 *
 * @throws RowcallError AGENT_INVALID
 */
export function requireSecrets(agent: string, listed: readonly string[], steps: readonly Step[]): void {
  const lacking = secretsOf(steps).filter((name) => !listed.includes(name));
  if (lacking.length === 0) return;
  const names = [...listed, ...lacking].map((name) => `"${name}"`).join(", ");
  throw new RowcallError(
    "AGENT_INVALID",
    `The template of agent ${agent} uses {{secret.${lacking[0]}}}, which is not in the agent's secrets`,
    { hint: `Add it to the agent's config: "secrets": [${names}].` },
  );
}

function secretsIn(value: unknown): readonly string[] {
  try {
    return [...variablesOf(value as JsonValue)].flatMap((name) => /^secret\.(.+)$/.exec(name)?.[1] ?? []);
  } catch {
    // What is no Mustache is told as that.
    return [];
  }
}
