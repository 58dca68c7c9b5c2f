import { z } from "zod";
import { messageOf } from "../../../core/errors.ts";
import { compilePattern } from "../../../core/pattern.ts";

/** A regular expression as text, checked when the template is read. Variables in it stand for themselves. */
export const patternSchema: z.ZodType<string> = z.string().check((context) => {
  const fault = patternFault(context.value);
  if (fault !== undefined) addProblem(context, fault);
});

/** Returns the fault of a regular expression in a template; undefined when there is none. */
export function patternFault(source: string): string | undefined {
  try {
    compilePattern(source.replaceAll(/\{\{[^{}]*\}\}/g, "x"));
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Returns a check that an object has exactly one of some keys. */
export function exactlyOne<T extends object>(
  keys: readonly (keyof T & string)[],
): (context: z.core.ParsePayload<T>) => void {
  return (context) => {
    const given = keys.filter((key) => context.value[key] !== undefined);
    if (given.length === 1) return;
    const has = given.length === 0 ? "none of them is there" : `${given.join(" and ")} are there`;
    addProblem(context, `needs exactly one of ${keys.join(", ")}; ${has}`);
  };
}

/** Says what is wrong with what a schema's check looks at. */
export function addProblem(context: z.core.ParsePayload, message: string, path: readonly string[] = []): void {
  context.issues.push({ code: "custom", input: context.value, message, path: [...path] });
}
