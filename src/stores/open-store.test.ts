import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { objectStoreContract } from "../../test/contracts/object-store-contract.ts";
import { openStores } from "./open-store.ts";

objectStoreContract("all stores as one, memory:", async () => {
  const store = openStores({ baseDirectory: tmpdir() });
  return {
    store,
    prefix: "memory:test",
    leftovers: async () => (await Array.fromAsync(store.list("memory:"))).map(({ uri }) => uri),
    close: async () => {},
  };
});

test("goes by the scheme: one store's objects are not another's", async () => {
  const baseDirectory = await mkdtemp(join(tmpdir(), "rowcall-stores-"));
  try {
    const store = openStores({ baseDirectory, clock: () => 5 });
    await store.write("a.csv", Buffer.from("file"));
    await store.write("memory:a.csv", Buffer.from("memory"));
    assert.equal(Buffer.concat(await Array.fromAsync(store.read("file:a.csv"))).toString(), "file");
    assert.equal(Buffer.concat(await Array.fromAsync(store.read("memory:a.csv"))).toString(), "memory");
    assert.equal((await store.stat("memory:a.csv"))?.modifiedAt, 5);
  } finally {
    await rm(baseDirectory, { recursive: true });
  }
});

test("copies from one scheme to another", async () => {
  const baseDirectory = await mkdtemp(join(tmpdir(), "rowcall-stores-"));
  try {
    const store = openStores({ baseDirectory });
    await store.write("memory:a.csv", Buffer.from("a"));
    assert.equal((await store.copy("memory:a.csv", "out/b.csv")).uri, "out/b.csv");
    assert.equal(Buffer.concat(await Array.fromAsync(store.read("out/b.csv"))).toString(), "a");
    await assert.rejects(store.copy("memory:none", "out/c.csv"), { code: "STORE_NOT_FOUND" });
    await assert.rejects(store.copy("memory:a.csv", "out/b.csv", { ifAbsent: true }), { code: "OUTPUT_EXISTS" });
    assert.equal(await store.stat("out/c.csv"), undefined);
  } finally {
    await rm(baseDirectory, { recursive: true });
  }
});

test("refuses an unknown scheme by every method, naming the known ones", async () => {
  const store = openStores({ baseDirectory: tmpdir() });
  const uri = "flie:///tmp/a.csv";
  const calls = [
    () => Array.fromAsync(store.read(uri)),
    () => store.write(uri, Buffer.from("a")),
    () => store.stat(uri),
    () => Array.fromAsync(store.list(uri)),
    () => store.delete(uri),
    () => store.copy(uri, "memory:a"),
    () => store.copy("memory:a", uri),
  ];
  for (const call of calls) {
    await assert.rejects(call, {
      code: "STORE_UNKNOWN",
      message: 'Unknown kind of URI "flie:" in flie:///tmp/a.csv',
      hint: /^Did you mean "file"\? A path, file:, memory:, s3:, https:, and http: can be used/,
    });
  }
  await assert.rejects(store.stat("constructor:a"), { code: "STORE_UNKNOWN" });
});
