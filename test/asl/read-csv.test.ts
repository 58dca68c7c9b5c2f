import assert from "node:assert/strict";
import { test } from "node:test";
import { readCsv } from "./read-csv.ts";

test("reads as the ItemReader does", () => {
  const table = 'a,b\r\n1,2\nshort\n1,2,surplus\n\n"x,\n""y""",z\nC:\\new,\\\\\nlast,row';
  assert.deepEqual(readCsv(table), [
    { a: "1", b: "2" },
    { a: "short", b: "" },
    { a: "1", b: "2" },
    { a: "", b: "" },
    { a: 'x,\n"y"', b: "z" },
    { a: "C:new", b: "\\" },
    { a: "last", b: "row" },
  ]);
});

test("a table of nothing but its header has no rows", () => {
  assert.deepEqual(readCsv("a,b\n"), []);
  assert.deepEqual(readCsv(""), []);
});
