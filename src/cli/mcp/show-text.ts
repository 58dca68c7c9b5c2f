/**
 * Text of a cell or a reply as an assistant may see it: what could hide or turn text around is spelled out (`\u{202E}`), and what
 * is long is cut with a note of how much is missing. Line breaks and tabs stay.
 *
 * @param limit - characters that are kept
 */
export function showText(text: string, limit: number): string {
  const whole = text.toWellFormed();
  let end = Math.min(limit, whole.length);
  if (isHighSurrogate(whole.charCodeAt(end - 1))) end -= 1;
  const kept = whole.slice(0, end).replace(hidden, (sign) => String.raw`\u{${hex(sign)}}`);
  return end === whole.length ? kept : `${kept}… [${whole.length - end} more characters]`;
}

// Controls, marks of writing direction, signs without width, tags and the variation selectors that can carry text unseen. The joiners
// of emoji and of Persian stay.
const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

function hex(sign: string): string {
  return (sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
