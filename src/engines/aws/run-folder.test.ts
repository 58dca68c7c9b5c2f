import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ObjectStore } from "../../core/object-store.ts";
import { openMemoryStore } from "../../stores/memory-store.ts";
import { readLines } from "./run-folder.ts";

/** A store whose object arrives in pieces of given sizes, in turns. */
function inPieces(text: string, sizes: readonly number[]): ObjectStore {
  const bytes = Buffer.from(text);
  return {
    ...openMemoryStore({ clock: () => 0 }),
    async *read() {
      for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
        const end = start + (sizes[turn % sizes.length] ?? 1);
        yield bytes.subarray(start, end);
        start = end;
      }
    },
  };
}

test("lines are read whole and in order, however they arrive, with a line feed at the end or without", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.integer()), { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (lines, sizes, ends) => {
        const text = lines.map((line) => JSON.stringify(line)).join("\n") + (ends && lines.length > 0 ? "\n" : "");
        const groups = await Array.fromAsync(readLines(inPieces(text, sizes), "memory:lines"));
        assert.deepEqual(groups.flat(), lines);
      },
    ),
  );
});

test("a large object comes in groups, and a line may be longer than a group", async () => {
  const lines = ["a".repeat(2_000_000), ...Array.from({ length: 3000 }, (_, n) => `${n} ${"b".repeat(1000)}`)];
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  const groups = await Array.fromAsync(readLines(inPieces(text, [64 * 1024]), "memory:lines"));
  assert.deepEqual(groups.flat(), lines);
  assert.ok(groups.length >= 5, `${groups.length}`);
});
