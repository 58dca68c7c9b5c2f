import { createHash, randomUUID } from "node:crypto";
import jsonata from "jsonata";

const algorithms = new Map([
  ["MD5", "md5"],
  ["SHA-1", "sha1"],
  ["SHA-256", "sha256"],
  ["SHA-384", "sha384"],
  ["SHA-512", "sha512"],
]);

/**
 * What Step Functions adds to JSONata; `$eval` is not there.
 *
 * @param now - time of this evaluation, milliseconds since 1970
 * @param random - a number in [0, 1)
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
 */
export function jsonataFunctions(now: number, random: () => number): Readonly<Record<string, unknown>> {
  return {
    partition: (array: unknown, size: unknown) => unlessMissing([array, size], () => partition(array, size)),
    range: (first: unknown, last: unknown, step: unknown) =>
      unlessMissing([first, last, step], () => range(whole(first), whole(last), whole(step))),
    hash: (value: unknown, algorithm: unknown) => unlessMissing([value, algorithm], () => hash(value, algorithm)),
    random: (seed?: unknown) => (seed === undefined ? random() : seeded(whole(seed))),
    uuid: () => randomUUID(),
    parse: (text: unknown) => unlessMissing([text], () => parse(text)),
    millis: () => now,
    now: (picture?: unknown, zone?: unknown) => formatTime(now, picture, zone),
    eval: undefined,
  };
}

// As JSONata's own functions do: nothing in, nothing out.
function unlessMissing(values: readonly unknown[], compute: () => unknown): unknown {
  return values.includes(undefined) ? undefined : compute();
}

/** Whole numbers are asked for; others are rounded down. */
function whole(value: unknown): number {
  if (typeof value !== "number") throw new Error(`A number is expected, but ${JSON.stringify(value)} is none`);
  return Math.floor(value);
}

function partition(array: unknown, size: unknown): unknown[][] {
  const items: unknown[] = Array.isArray(array) ? array : [array];
  const length = whole(size);
  if (length < 1) throw new Error(`The size of a partition must be positive, not ${length}`);
  return Array.from({ length: Math.ceil(items.length / length) }, (_, index) =>
    items.slice(index * length, (index + 1) * length),
  );
}

function range(first: number, last: number, step: number): number[] {
  if (step === 0) throw new Error("The step of a range must not be 0");
  const length = Math.max(0, Math.floor((last - first) / step) + 1);
  return Array.from({ length }, (_, index) => first + index * step);
}

function hash(value: unknown, algorithm: unknown): string {
  const name = algorithms.get(String(algorithm));
  if (name === undefined) throw new Error(`There is no hash algorithm ${String(algorithm)}`);
  return createHash(name)
    .update(typeof value === "string" ? value : JSON.stringify(value))
    .digest("hex");
}

function parse(text: unknown): unknown {
  if (typeof text !== "string") throw new Error("Only a text can be parsed as JSON");
  return JSON.parse(text);
}

const formats = ["$fromMillis($ms)", "$fromMillis($ms, $picture)", "$fromMillis($ms, $picture, $zone)"] as const;
const [plain, pictured, zoned] = formats.map((format) => jsonata(format));

function formatTime(ms: number, picture: unknown, zone: unknown): unknown {
  const format = picture === undefined ? plain : zone === undefined ? pictured : zoned;
  return format?.evaluate(undefined, { ms, picture, zone });
}

// mulberry32: one seed, one number.
function seeded(seed: number): number {
  let mixed = (seed + 0x6d2b79f5) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
