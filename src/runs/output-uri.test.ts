import assert from "node:assert/strict";
import { test } from "node:test";
import { tmpdir } from "node:os";
import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { openStores } from "../stores/open-store.ts";
import { freeOutputUri, outputFormat, probeOutput, requireOutput } from "./output-uri.ts";

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

test("an output's name says how it is written, and one that promises what cannot be written is refused", () => {
  for (const [output, format] of [
    ["out.csv", "csv"],
    ["s3://b/out.TSV", "csv"],
    ["results/", "csv"],
    ["results.json/", "csv"],
    ["results", "csv"],
    ["-", "csv"],
    ["out.jsonl", "jsonl"],
    ["out.NDJSON", "jsonl"],
  ] as const)
    assert.equal(outputFormat(output), format, output);
  for (const output of ["out.json", "out.xlsx", "s3://b/out.parquet", "out.csv.gz", "batch.yaml", "journal.db"])
    assert.throws(() => outputFormat(output), { code: "USAGE_INVALID", hint: /\.jsonl/ }, output);
});

test("an output that is the input is refused, also when it may be replaced", async () => {
  const store = storeWithout();
  await store.write("memory:in.csv", Buffer.from("a"));
  for (const uri of ["memory:in.csv", "s3://bucket/in.csv"]) {
    await assert.rejects(requireOutput(store, { inputUri: uri, output: uri }, 0, true), {
      code: "USAGE_INVALID",
      message: /is the input itself/,
    });
  }
  await requireOutput(store, { inputUri: "memory:in.csv", output: "memory:" }, 0, false);
});
