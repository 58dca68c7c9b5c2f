import assert from "node:assert/strict";
import { test } from "node:test";
import { objectStoreContract } from "../../test/contracts/object-store-contract.ts";
import { openMemoryStore } from "./memory-store.ts";

objectStoreContract("memory store", async () => {
  const store = openMemoryStore({ clock: () => 1_700_000_000_000 });
  return {
    store,
    prefix: "memory:test",
    leftovers: async () => (await Array.fromAsync(store.list(""))).map(({ uri }) => uri),
    close: async () => {},
  };
});

test("stamps objects with the clock it is given", async () => {
  let now = 1000;
  const store = openMemoryStore({ clock: () => now });
  await store.write("memory:a", Buffer.from("a"));
  now = 2000;
  await store.write("memory:b", Buffer.from("b"));
  assert.deepEqual(
    (await Array.fromAsync(store.list("memory:"))).map(({ modifiedAt }) => modifiedAt),
    [1000, 2000],
  );
});
