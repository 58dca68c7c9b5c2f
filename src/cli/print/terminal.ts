import { randomInt } from "node:crypto";
import { unsafeLetters } from "../../core/printable.ts";
import type { Io, Output } from "../io.ts";

// Our own colours have a mark that no text from elsewhere can know; their form is still one that measures of width leave out.
const mark = Array.from({ length: 3 }, () => randomInt(1000, 10_000)).join(";");
const ownOrUnsafe = new RegExp(`\\u001b\\[(?<colour>\\d+);${mark}m|${unsafeLetters}`, "gu");

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
