import assert from "node:assert/strict";
import { test } from "node:test";
import { openStores } from "../stores/open-store.ts";
import { artifactSaver } from "./attempt-answer.ts";

test("a file of an attempt is made, and never replaces one that is there", async () => {
  const store = openStores({ baseDirectory: "/" });
  const save = artifactSaver(store, "memory:recordings/run");
  const uri = await save(3, 2, "final.png", Buffer.from("first"), "image/png");
  assert.equal(uri, "memory:recordings/run/3-2/final.png");
  await assert.rejects(save(3, 2, "final.png", Buffer.from("second"), "image/png"), { code: "OUTPUT_EXISTS" });
  assert.equal(Buffer.concat(await Array.fromAsync(store.read(uri))).toString(), "first");
});
