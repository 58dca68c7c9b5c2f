import assert from "node:assert/strict";
import { test } from "node:test";
import { suggestMapping } from "./suggest-mapping.ts";

const suggest = (fields: readonly string[], columns: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    suggestMapping(columns, fields).flatMap(({ field, column }) => (column === undefined ? [] : [[field, column]])),
  );

test("suggests the column of the same name, whatever its spelling", () => {
  assert.deepEqual(suggest(["building_number", "postcode"], ["Post Code", "buildingNumber"]), {
    building_number: "buildingNumber",
    postcode: "Post Code",
  });
});

test("suggests a column that contains the field's words, or the other way round", () => {
  assert.deepEqual(suggest(["street", "full_address"], ["street name", "address"]), {
    street: "street name",
    full_address: "address",
  });
});

test("suggests a name with a slip of the finger", () => {
  assert.deepEqual(suggest(["postcode"], ["postocde"]), { postcode: "postocde" });
});

test("never suggests a column twice, and leaves it to the surer field", () => {
  assert.deepEqual(suggest(["address", "full_address"], ["full address"]), { full_address: "full address" });
});

test("suggests nothing where nothing is near", () => {
  assert.deepEqual(suggest(["postcode"], ["colour", ""]), {});
});
