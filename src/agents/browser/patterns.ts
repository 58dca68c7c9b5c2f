import { z } from "zod";

/** A regular expression as text, checked when the template is read. Variables in it stand for themselves. */
export const patternSchema: z.ZodType<string> = z.string().check((context) => {
  const bare = context.value.replaceAll(/\{\{[^}]*\}\}/g, "x");
  try {
    void new RegExp(bare, "u");
  } catch {
    context.issues.push({
      code: "custom",
      input: context.value,
      message: `${JSON.stringify(context.value)} is not a regular expression`,
    });
  }
});

/** A check that an object has exactly one of some keys. */
export function exactlyOne<T extends object>(
  keys: readonly (keyof T & string)[],
): (context: z.core.ParsePayload<T>) => void {
  return (context) => {
    const given = keys.filter((key) => context.value[key] !== undefined);
    if (given.length === 1) return;
    const has = given.length === 0 ? "none of them is there" : `${given.join(" and ")} are there`;
    context.issues.push({
      code: "custom",
      input: context.value,
      message: `needs exactly one of ${keys.join(", ")}; ${has}`,
    });
  };
}
