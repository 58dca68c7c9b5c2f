import assert from "node:assert/strict";
import { test } from "node:test";
import { tmpdir } from "node:os";
import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { openStores } from "../stores/open-store.ts";
import { freeOutputUri, probeOutput } from "./output-uri.ts";

/** A store whose policy lacks some of its actions. */
function storeWithout(...actions: readonly (keyof ObjectStore)[]): ObjectStore {
  const store = openStores({ baseDirectory: tmpdir() });
  const deny = async (uri: string): Promise<never> => {
    throw new RowcallError("STORE_DENIED", `Cannot use ${uri}: access is denied`);
  };
  return { ...store, ...Object.fromEntries(actions.map((action) => [action, deny])) };
}

async function urisOf(store: ObjectStore): Promise<readonly string[]> {
  return (await Array.fromAsync(store.list("memory:"))).map(({ uri }) => uri);
}

test("a probe leaves nothing behind", async () => {
  const store = storeWithout();
  await probeOutput(store, "memory:out/");
  await probeOutput(store, "memory:out/a.csv");
  assert.deepEqual(await urisOf(store), []);
});

test("who may not delete can run all the same, and leaves one probe however often", async () => {
  const store = storeWithout("delete");
  await probeOutput(store, "memory:out/");
  await probeOutput(store, "memory:out/");
  await probeOutput(store, "memory:out/a.csv");
  assert.deepEqual(await urisOf(store), ["memory:out/.rowcall-probe"]);
});

test("many probes at the same time do not disturb each other", async () => {
  const store = storeWithout();
  await Promise.all(Array.from({ length: 20 }, () => probeOutput(store, "memory:out/")));
  assert.deepEqual(await urisOf(store), []);
});

test("a place that cannot be written is found", async () => {
  await assert.rejects(probeOutput(storeWithout("write"), "memory:out/"), { code: "STORE_DENIED" });
});

test("who may not look can write: what is there is found by the write", async () => {
  const store = storeWithout("stat");
  assert.equal(await freeOutputUri(store, "memory:out/a.csv", "csv", 0, false), "memory:out/a.csv");
  assert.equal(await freeOutputUri(store, "memory:out/", "csv", 0, false), "memory:out/result-1970-01-01-00-00-00.csv");
});
