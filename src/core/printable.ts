/**
 * Letters that move the cursor, colour, hide or turn around what stands beside them, as the class of a regular expression with the flag
 * `u`: control characters other than line breaks and tabs, marks of direction, separators that are no line break, letters without a shape.
 */
export const unsafeLetters =
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]";
const unsafe = new RegExp(unsafeLetters, "gu");

/** Text without anything that a terminal acts on, colours included. */
export function printable(text: string): string {
  return text.replaceAll(unsafe, "");
}

/**
 * A value as one line of JSON that a terminal shows as it is: nothing is lost, as what it would act on is escaped.
 *
 * @param indent - for several lines
 */
export function jsonLine(value: unknown, indent?: number): string {
  const escaped = JSON.stringify(value, undefined, indent).replaceAll(unsafe, (letter) =>
    letter.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
  return `${escaped}\n`;
}
