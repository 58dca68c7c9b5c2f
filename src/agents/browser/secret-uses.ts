import { RowcallError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import { variablesOf } from "../../core/render.ts";
import type { Problem } from "../../core/schema.ts";
import { innerSteps, type Step } from "./steps.ts";

/** Whether a template's text or value uses a secret. */
export function usesSecrets(value: unknown): boolean {
  return secretsIn(value).length > 0;
}

/** Names of the secrets that a template's steps type. */
export function secretsOf(steps: readonly Step[]): readonly string[] {
  const names = steps.flatMap((step) => [
    ...(step.action === "fill" ? secretsIn(step.value) : []),
    ...secretsOf(innerSteps(step)),
  ]);
  return [...new Set(names)];
}

/**
 * Secrets that are used for anything but typing: in an address, a condition or a message they would be on the way to where people
 * look, or to another site.
 */
export function secretProblems(steps: readonly Step[], path = "steps"): readonly Problem[] {
  return steps.flatMap((step, i) => {
    const inner = innerSteps(step);
    const own: Partial<Record<string, unknown>> = { ...step };
    if (step.action === "fill") delete own["value"];
    for (const name of ["then", "else", "steps", "catch"]) if (inner.length > 0) delete own[name];
    const at = `${path}.${i}`;
    return [...placeProblems(at, own), ...secretProblems(inner, at)];
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
  throw new RowcallError(
    "AGENT_INVALID",
    `The template of agent ${agent} uses {{secret.${lacking[0]}}}, which is not in the agent's secrets`,
    {
      hint: `Add it to the agent's config: "secrets": [${[...listed, ...lacking].map((name) => `"${name}"`).join(", ")}].`,
    },
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
