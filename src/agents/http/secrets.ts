import { RowcallError } from "../../core/errors.ts";

/** What stands for a secret wherever people look. */
const maskText = "***";

/** An agent's secrets. */
export interface Secrets {
  readonly values: Readonly<Record<string, string>>;
  /** The same names, with nothing to see. */
  readonly masked: Readonly<Record<string, string>>;
  /** Takes the values out of a text that came from elsewhere. */
  mask(text: string): string;
}

/**
 * Reads secrets by name; an empty one counts as missing.
 *
 * @throws RowcallError SECRET_MISSING with the names of all that are missing
 */
export function readSecrets(
  names: readonly string[],
  secret: (name: string) => string | undefined,
  agent: string,
): Secrets {
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = secret(name);
    if (value !== undefined && value !== "") values[name] = value;
  }
  const missing = names.filter((name) => !Object.hasOwn(values, name));
  if (missing.length > 0) {
    throw new RowcallError("SECRET_MISSING", `Agent ${agent} needs ${missing.join(", ")}, not set in the environment`, {
      hint: `Set it before the run: export ${missing[0]}=…`,
      details: { missing },
    });
  }
  const forms = Object.values(values).flatMap(formsOf);
  // Longest first: one secret may be a part of another.
  forms.sort((a, b) => b.length - a.length);
  return {
    values,
    masked: Object.fromEntries(names.map((name) => [name, maskText])),
    mask: (text) => forms.reduce((masked, form) => masked.replaceAll(form, maskText), text),
  };
}

function formsOf(value: string): string[] {
  return [...new Set([value, encodeURIComponent(value.toWellFormed()), JSON.stringify(value).slice(1, -1)])];
}
