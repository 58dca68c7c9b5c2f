/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** At least 0, less than 1. */
  next(): number;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  pick<T>(values: readonly T[]): T;
}

/** @see https://en.wikipedia.org/wiki/Xorshift */
export function createRandom(seed: number): Random {
  // Never 0, from which xorshift does not get away.
  let state = (Math.imul(seed + 1, 0x9e37_79b1) | 1) >>> 0;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  // The first numbers of seeds that are close to each other are close too.
  for (let i = 0; i < 10; i += 1) next();
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return { next, between, pick: (values) => values[between(0, values.length - 1)]! };
}
