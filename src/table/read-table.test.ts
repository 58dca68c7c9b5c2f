import assert from "node:assert/strict";
import { test } from "node:test";
import { readTable } from "./read-table.ts";

test("numbers rows from 0 and gives the lines that they begin on", async () => {
  async function* read(): AsyncGenerator<Uint8Array> {
    for (const piece of ["\na;b\n", '"x\ny";1\n\n', "z;2\n"]) yield Buffer.from(piece);
  }
  const { dialect, header, rows } = await readTable(read, { ragged: "fail" });
  assert.deepEqual([dialect.delimiter, header], [";", ["a", "b"]]);
  assert.deepEqual((await Array.fromAsync(rows)).flat(), [
    { index: 0, line: 3, cells: ["x\ny", "1"] },
    { index: 1, line: 6, cells: ["z", "2"] },
  ]);
});

for (const [what, beginning] of [
  ["without quotes", "a\n1\n2\n"],
  ["with quotes", 'a\n"1"\n2\n'],
]) {
  test(`closes an input ${what} of which no more is read`, async () => {
    let open = 0;
    async function* read(): AsyncGenerator<Uint8Array> {
      open += 1;
      try {
        yield Buffer.from(beginning ?? "");
        yield Buffer.from("3\n");
        yield Buffer.from("4\n");
      } finally {
        open -= 1;
      }
    }
    const { rows } = await readTable(read, { ragged: "fail" });
    for await (const _some of rows) break;
    assert.equal(open, 0);
  });
}

test("an input of nothing but blank lines is empty, however long it is", async () => {
  async function* read(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 10; i += 1) yield Buffer.alloc(64 * 1024, "\n");
  }
  await assert.rejects(readTable(read, { ragged: "fail" }), { code: "INPUT_EMPTY" });
});
