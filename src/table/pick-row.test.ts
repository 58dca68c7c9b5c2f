import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "../core/batch.ts";
import { parseBatch } from "../core/batch-file.ts";
import type { JsonObject } from "../core/json.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { makeRow, readRow, replaceCells } from "./pick-row.ts";

const batchWith = (mapping: JsonObject): Batch =>
  parseBatch({ agent: "a", input: "memory:in.csv", input_mapping: mapping }, "batch file");

test("reads one row of a table with the line it begins on", async () => {
  const store = openMemoryStore({ clock: () => 0 });
  await store.write("memory:in.csv", Buffer.from('a;b\n"x\ny";1\n\nz;2\n'));
  assert.deepEqual(await readRow({ store }, batchWith({}), 1), {
    header: ["a", "b"],
    row: { index: 1, line: 5, cells: ["z", "2"] },
  });
  await assert.rejects(readRow({ store }, batchWith({}), 2), { code: "USAGE_INVALID", message: /which has 2 rows/ });
});

test("makes a row of given cells; what the mapping names and nobody gave is empty", () => {
  const mapping = {
    column_mappings: { street: "s", town: "t" },
    transformations: { full: { type: "template", template: "{{number}} {{street}}" } },
  };
  const { header, row } = makeRow(batchWith(mapping), { town: "York", number: "7" });
  assert.deepEqual(
    [header, row.cells],
    [
      ["street", "town", "number"],
      ["", "York", "7"],
    ],
  );
  assert.throws(() => makeRow(batchWith(mapping), { twon: "York" }), {
    code: "USAGE_INVALID",
    hint: 'Did you mean "town"?',
  });
});

test("takes any column where all columns are passed", () => {
  assert.deepEqual(makeRow(batchWith({ exclude_columns: ["id"] }), { anything: "1" }).header, ["anything", "id"]);
});

test("replaces cells of a row that is there, and only of columns that it has", () => {
  const named = { header: ["a", "b"], row: { index: 4, line: 9, cells: ["1", "2"] } };
  assert.deepEqual(replaceCells(named, { b: "x" }).row, { index: 4, line: 9, cells: ["1", "x"] });
  assert.throws(() => replaceCells(named, { c: "x" }), { code: "USAGE_INVALID" });
});

test("leaves columns alone that are called as what every object has", () => {
  const named = { header: ["constructor", "__proto__", "b"], row: { index: 0, line: 2, cells: ["1", "2", "3"] } };
  assert.deepEqual(replaceCells(named, { b: "x" }).row.cells, ["1", "2", "x"]);
  const written = { column_mappings: [{ csv_column: "__proto__", agent_input_field: "p" }] };
  assert.deepEqual(makeRow(batchWith(written), {}).row.cells, [""]);
});
