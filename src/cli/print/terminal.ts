import { randomInt } from "node:crypto";
import type { Io, Output } from "../io.ts";

// What moves the cursor, colours, hides or turns around what stands beside it, in any text that somebody else wrote: control characters
// other than line breaks and tabs, marks of direction, separators that are no line break, and letters without a shape.
const unsafe =
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]";
const unsafeOnly = new RegExp(unsafe, "gu");

// Our own colours have a mark that no text from elsewhere can know; their form is still one that measures of width leave out.
const mark = Array.from({ length: 3 }, () => randomInt(1000, 10_000)).join(";");
const ownOrUnsafe = new RegExp(`\\u001b\\[(?<colour>\\d+);${mark}m|${unsafe}`, "gu");

/** Puts a colour around a text, for a stream of {@link withTerminal}. */
export type Colour = (text: string) => string;

/** The colours of a terminal, or texts as they are. */
export function colours(are: boolean): Readonly<Record<"bold" | "dim" | "red" | "green" | "yellow" | "cyan", Colour>> {
  const colour =
    (begin: number, end: number): Colour =>
    (text) =>
      are ? `\u001b[${begin};${mark}m${text}\u001b[${end};${mark}m` : text;
  return {
    bold: colour(1, 22),
    dim: colour(2, 22),
    red: colour(31, 39),
    green: colour(32, 39),
    yellow: colour(33, 39),
    cyan: colour(36, 39),
  };
}

/** Text for people: of escapes nothing is left but our own colours. */
export function forPeople(text: string): string {
  return text.replaceAll(ownOrUnsafe, (_all, colour: string | undefined) =>
    colour === undefined ? "" : `\u001b[${colour}m`,
  );
}

/** Text without anything that a terminal acts on, colours included. */
export function printable(text: string): string {
  return text.replaceAll(unsafeOnly, "");
}

/**
 * A value as one line of JSON that a terminal shows as it is: nothing is lost, as what it would act on is escaped.
 *
 * @param indent - for several lines
 */
export function jsonLine(value: unknown, indent?: number): string {
  const escaped = JSON.stringify(value, undefined, indent).replaceAll(unsafeOnly, (letter) =>
    letter.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
  return `${escaped}\n`;
}

/**
 * The process with streams on which every text is one {@link forPeople}, whoever writes it. Bytes are data and pass as they are.
 * This is the one place where text is made harmless.
 */
export function withTerminal(io: Io): Io {
  return { ...io, stdout: guarded(io.stdout), stderr: guarded(io.stderr) };
}

const streams = new WeakMap<Output, Output>();

/** The stream below, for what moves the cursor itself; every text from elsewhere in that needs {@link forPeople}. */
export function rawStream(output: Output): Output {
  return streams.get(output) ?? output;
}

function guarded(output: Output): Output {
  if (streams.has(output)) return output;
  const write = (chunk: string | Uint8Array, ...others: never[]): boolean =>
    output.write(typeof chunk === "string" ? forPeople(chunk) : chunk, ...others);
  const stream = new Proxy(output, {
    get(target, key) {
      if (key === "write") return write;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  streams.set(stream, output);
  return stream;
}
