/** Finds out which rows repeat an earlier one, at 12 to 24 bytes a row. */
export interface DuplicateFinder {
  /**
   * Notes a row.
   *
   * @param key - the first 8 bytes of a digest of what the row asks
   * @returns index of the first row with the same key; undefined when this is the first
   */
  note(key: Buffer, row: number): number | undefined;
  /** False once the limit is reached: rows after that are compared with those before only. */
  readonly isComplete: boolean;
}

const maxLoad = 0.6;

/**
 * Opens a finder: an open-addressing table of 64-bit keys. Among a million rows the chance that two different ones are taken for
 * the same is below 1 in 10 million.
 *
 * @param limit - different rows that are remembered; 4 million take 100 MB
 */
export function createDuplicateFinder(limit = 4_000_000): DuplicateFinder {
  let capacity = 1024;
  let table = allocate(capacity);
  let used = 0;

  const slotOf = ({ high, low, rows }: Slots, size: number, a: number, b: number): number => {
    let slot = b & (size - 1);
    while (rows[slot] !== 0 && (high[slot] !== a || low[slot] !== b)) slot = (slot + 1) & (size - 1);
    return slot;
  };
  const put = (slots: Slots, slot: number, a: number, b: number, rowPlusOne: number): void => {
    slots.high[slot] = a;
    slots.low[slot] = b;
    slots.rows[slot] = rowPlusOne;
  };
  const grow = (): void => {
    const larger = allocate(capacity * 2);
    for (let slot = 0; slot < capacity; slot += 1) {
      const [a = 0, b = 0, row = 0] = [table.high[slot], table.low[slot], table.rows[slot]];
      if (row !== 0) put(larger, slotOf(larger, capacity * 2, a, b), a, b, row);
    }
    table = larger;
    capacity *= 2;
  };
  return {
    note: (key, row) => {
      const a = key.readUInt32LE(0);
      const b = key.readUInt32LE(4);
      const slot = slotOf(table, capacity, a, b);
      const found = table.rows[slot] ?? 0;
      if (found !== 0) return found - 1;
      if (used < limit) {
        put(table, slot, a, b, row + 1);
        used += 1;
        if (used > capacity * maxLoad) grow();
      }
      return undefined;
    },
    get isComplete() {
      return used < limit;
    },
  };
}

interface Slots {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Row index plus one; 0 is an empty slot. */
  readonly rows: Uint32Array;
}

function allocate(capacity: number): Slots {
  return { high: new Uint32Array(capacity), low: new Uint32Array(capacity), rows: new Uint32Array(capacity) };
}
