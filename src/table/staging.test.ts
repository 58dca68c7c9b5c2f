import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openTable, stageTable, type StagedTable } from "./staging.ts";

async function* chunks(text: string | Buffer, size = 5): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("a staged table", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "rowcall-staging-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const stage = (text: string | Buffer): Promise<StagedTable> =>
    stageTable(() => chunks(text), { ragged: "fail" }, directory);

  it("knows each record's bytes, line and cells", async () => {
    const staged = await stage('a,b\r\n1,"x\r\ny"\r\n\r\n2,é\r\n3');
    assert.deepEqual([staged.header, staged.rows, staged.width], [["a", "b"], 3, 2]);
    const table = await openTable(directory, staged);
    const [block] = await Array.fromAsync(table.blocks([[0, 2]]));
    assert.deepEqual(
      [...(block?.slices() ?? [])].map(({ index, width, bytes }) => [index, width, bytes.toString()]),
      [
        [0, 2, '1,"x\r\ny"\r\n'],
        [1, 2, "\r\n2,é\r\n"],
        [2, 1, "3"],
      ],
    );
    assert.deepEqual(
      block?.rows().map((row) => [row.line, row.cells]),
      [
        [2, ["1", "x\r\ny"]],
        [5, ["2", "é"]],
        [6, ["3"]],
      ],
    );
    await table.close();
  });

  it("reads any choice of rows, and what stands before and after them", async () => {
    const lines = Array.from({ length: 2500 }, (_, i) => `${i},row ${i}\n`);
    const staged = await stageTable(() => chunks(`n,t\n${lines.join("")}\n\n`, 999), { ragged: "fail" }, directory);
    const table = await openTable(directory, staged);
    const blocks = await Array.fromAsync(
      table.blocks([
        [3, 3],
        [998, 2100],
        [2499, 2499],
      ]),
    );
    const cells = blocks.flatMap((block) => block.rows().map((row) => Number(row.cells[0])));
    assert.deepEqual(cells, [3, ...Array.from({ length: 1103 }, (_, i) => 998 + i), 2499]);
    assert.equal((await table.header()).toString(), "n,t\n");
    assert.equal((await table.trailer()).toString(), "\n\n");
    await table.close();
  });

  it("keeps UTF-8 bytes that are no characters", async () => {
    const bytes = Buffer.concat([Buffer.from("a\nb"), Buffer.from([0xff, 0xfe, 0x0a])]);
    const staged = await stageTable(() => chunks(bytes), { ragged: "fail", encoding: "utf-8" }, directory);
    const table = await openTable(directory, staged);
    const [block] = await Array.fromAsync(table.blocks([[0, 0]]));
    assert.deepEqual([...(block?.slices() ?? [])][0]?.bytes, bytes.subarray(2));
    await table.close();
  });

  it("refuses an empty input", async () => {
    await assert.rejects(stage("\n\n"), { code: "INPUT_EMPTY" });
    await assert.rejects(stage(""), { code: "INPUT_EMPTY" });
  });

  it("refuses a quote that is never closed before anything is run", async () => {
    await assert.rejects(stage('a,b\n1,2\n3,"4\n5,6\n'), { code: "INPUT_MALFORMED", message: /line 3/ });
  });

  it("has the same digest for the same bytes", async () => {
    const { sha256 } = await stage("a\n1\n");
    assert.equal((await stageTable(() => chunks("a\n1\n", 1), { ragged: "fail" }, directory)).sha256, sha256);
  });
});
