import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { parse as parseCsv } from "csv-parse/sync";
import fc from "fast-check";
import {
  bytesOf,
  cellText,
  dialectOf,
  encode,
  pieceSizes,
  readTable,
  recordBytes,
  tables,
} from "../../test/fakes/tables.ts";
import type { Table } from "../../test/fakes/tables.ts";
import { toCell, type Cell } from "./enrich.ts";
import { recordDelimiters, type Dialect } from "./dialect.ts";
import { createTableWriter, quoteCell, type WriterSetup } from "./write.ts";

const dialect: Dialect = { encoding: "utf-8", bom: false, delimiter: ",", lineEnd: "\n", ragged: "fail" };

const textCell = (text: string): Cell => ({ text, isString: true });

interface Written {
  /** The output's bytes, one piece a record, then what follows the last one. */
  readonly pieces: readonly Buffer[];
  readonly lost: ReadonlySet<string>;
}

/** Writes a table again with new cells, as an engine does. */
async function rewrite(
  bytes: Buffer,
  cells: (record: number) => readonly string[],
  given: Parameters<typeof readTable>[1],
  setup: Partial<WriterSetup> = {},
  sizes: readonly number[] = [1_000_000],
): Promise<Written> {
  const read = await readTable(bytes, given, sizes);
  const width = Math.max(...read.records.map((record) => record.cells.length));
  const writer = createTableWriter({
    dialect: read.dialect,
    includeOriginal: true,
    formulaSafe: false,
    width,
    ...setup,
  });
  const { bytes: parts, trailer } = recordBytes(read);
  const pieces = parts.map((part, i) => {
    const record = { bytes: part, width: read.records[i]?.cells.length ?? 0, cells: cells(i).map(textCell) };
    if (i === 0) writer.header(record);
    else writer.record(record);
    return writer.take(true) ?? Buffer.alloc(0);
  });
  writer.trailer(trailer);
  return { pieces: [...pieces, writer.take(true) ?? Buffer.alloc(0)], lost: writer.lost };
}

const write = async (
  text: string,
  cells: (record: number) => readonly string[],
  setup: Partial<WriterSetup> = {},
): Promise<string> =>
  Buffer.concat((await rewrite(Buffer.from(text), cells, { ragged: "keep" }, setup)).pieces).toString();

const widthOf = ({ records }: Table): number => Math.max(...records.map(({ cells }) => cells.length));

function readBack(output: Buffer, { encoding, delimiter }: Table, lineEnd: Dialect["lineEnd"]): string[][] {
  const text = new TextDecoder(encoding.replace("-mark", ""), { ignoreBOM: true }).decode(output);
  return parseCsv(encoding.endsWith("-mark") ? text.slice(1) : text, {
    delimiter,
    record_delimiter: recordDelimiters(lineEnd),
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
  });
}

describe("any table with any new cells", () => {
  const withCells = tables.chain((table) => {
    const cell = fc.oneof(cellText(table.encoding), fc.constantFrom("", "true", '{"a":[1,"x"]}'));
    const many = table.records.length;
    return fc
      .integer({ min: 1, max: 3 })
      .chain((columns) =>
        fc
          .array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: many, maxLength: many })
          .map((added) => ({ table, added })),
      );
  });

  it("keeps every record's bytes: without the new cells the output is the input", async () => {
    await fc.assert(
      fc.asyncProperty(withCells, pieceSizes, async ({ table, added }, sizes) => {
        const input = bytesOf(table);
        const { pieces } = await rewrite(input, (i) => added[i] ?? [], dialectOf(table), {}, sizes);
        const mark = table.encoding.endsWith("-mark") ? encode("\uFEFF", table.encoding) : Buffer.alloc(0);
        const stripped = table.records.map(({ lead, body, lineEnd }, i) => {
          const piece = pieces[i] ?? Buffer.alloc(0);
          const start = Buffer.concat([i === 0 ? mark : Buffer.alloc(0), encode(lead + body, table.encoding)]);
          const end = encode(lineEnd, table.encoding);
          assert.deepEqual(piece.subarray(0, start.length), start);
          assert.deepEqual(piece.subarray(piece.length - end.length), end);
          const next = encode(table.delimiter, table.encoding);
          assert.deepEqual(piece.subarray(start.length, start.length + next.length), next);
          return Buffer.concat([start, end]);
        });
        assert.deepEqual(Buffer.concat([...stripped, pieces.at(-1) ?? Buffer.alloc(0)]), input);
      }),
      { numRuns: 300 },
    );
  });

  it("reads back as the original cells, as many empty ones as bring it to the common width, and the new cells", async () => {
    await fc.assert(
      fc.asyncProperty(withCells, async ({ table, added }) => {
        const { pieces, lost } = await rewrite(bytesOf(table), (i) => added[i] ?? [], dialectOf(table));
        const { dialect: read } = await readTable(bytesOf(table), dialectOf(table));
        const width = widthOf(table);
        const expected = table.records.map(({ cells }, i) => {
          const missing = Array.from({ length: width - cells.length }, (_, n) => (i === 0 ? `_extra_${n + 1}` : ""));
          return [...cells, ...missing, ...(added[i] ?? [])];
        });
        assert.deepEqual(readBack(Buffer.concat(pieces), table, read.lineEnd), expected);
        assert.equal(lost.size, 0);
      }),
      { numRuns: 300 },
    );
  });

  it("without the original columns reads back as the new cells alone", async () => {
    await fc.assert(
      fc.asyncProperty(withCells, async ({ table, added }) => {
        const setup = { includeOriginal: false };
        const { pieces } = await rewrite(bytesOf(table), (i) => added[i] ?? [], dialectOf(table), setup);
        const { dialect: read } = await readTable(bytesOf(table), dialectOf(table));
        assert.deepEqual(readBack(Buffer.concat(pieces), table, read.lineEnd), added);
      }),
      { numRuns: 300 },
    );
  });

  it("without new cells is the input, byte for byte", async () => {
    await fc.assert(
      fc.asyncProperty(tables, pieceSizes, async (table, sizes) => {
        const { pieces } = await rewrite(bytesOf(table), () => [], dialectOf(table), { width: 0 }, sizes);
        assert.deepEqual(Buffer.concat(pieces), bytesOf(table));
      }),
    );
  });
});

test("new columns stand under their names: short records are filled up, surplus cells get names", async () => {
  const text = "a,b\n1\n1,2\n1,2,3,4\n";
  assert.equal(
    await write(text, (i) => [i === 0 ? "new" : "x"]),
    "a,b,_extra_1,_extra_2,new\n1,,,,x\n1,2,,,x\n1,2,3,4,x\n",
  );
});

test("the name of a surplus column is one that no other column has", async () => {
  const header = await write("a,_extra_1\n1,2,3,4\n", (i) => [i === 0 ? "_extra_2" : "x"]);
  assert.equal(header, "a,_extra_1,_extra_3,_extra_4,_extra_2\n1,2,3,4,x\n");
});

test("blank lines stay where they stood", async () => {
  assert.equal(await write("\na\n\n\n1\n\n", () => ["x"]), "\na,x\n\n\n1,x\n\n");
});

test("a missing final line end stays missing, each record keeps its own", async () => {
  assert.equal(await write("a\r\n1\n2", () => ["x"]), "a,x\r\n1,x\n2,x");
});

test("a header without rows gets its new columns", async () => {
  assert.equal(await write("a;b", () => ["x"]), "a;b;x");
});

test("include_original: false leaves out the original columns and the blank lines", async () => {
  assert.equal(
    await write("a,b\n\n1,2\n3,4,5\n\n", (i) => [`x${i}`, ""], { includeOriginal: false }),
    "x0,\nx1,\nx2,\n",
  );
});

test("a record whose only cell is empty does not become a blank line", async () => {
  assert.equal(await write("a\n1\n2\n", (i) => [i === 0 ? "x" : ""], { includeOriginal: false }), 'x\n""\n""\n');
});

test("new cells are written in the table's encoding after its mark", async () => {
  const bytes = encode("\uFEFFa\né\n", "utf-16be-mark");
  const { pieces } = await rewrite(bytes, () => ["€😀"], { ragged: "fail" });
  assert.deepEqual(Buffer.concat(pieces), encode("\uFEFFa,€😀\né,€😀\n", "utf-16be-mark"));
});

test("characters that the encoding lacks are written as ? and reported", async () => {
  const { pieces, lost } = await rewrite(encode("a\né\n", "windows-1252"), () => ["€ 日本"], { ragged: "fail" });
  assert.deepEqual(Buffer.concat(pieces), encode("a,€ ??\né,€ ??\n", "windows-1252"));
  assert.deepEqual([...lost], ["日", "本"]);
});

test("cells are quoted where the delimiter, a quote or a line break makes it necessary, and nowhere else", () => {
  const quoted = ["a", "", " a ", "a,b", "a;b", 'say "x"', "a\nb", "a\rb"].map((text) => quoteCell(text, ";"));
  assert.deepEqual(quoted, ["a", "", " a ", "a,b", '"a;b"', '"say ""x"""', '"a\nb"', '"a\rb"']);
});

test("what is ready is taken out in large pieces, the mark first and once", () => {
  const writer = createTableWriter({
    dialect: { ...dialect, bom: true },
    includeOriginal: true,
    formulaSafe: false,
    width: 1,
  });
  const line = Buffer.from(`${"x".repeat(999)}\n`);
  const pieces: Buffer[] = [];
  for (let i = 0; i < 1000; i += 1) {
    writer.record({ bytes: line, width: 1, cells: [textCell("y")] });
    const piece = writer.take();
    if (piece !== undefined) pieces.push(piece);
  }
  assert.ok(pieces.length >= 3 && pieces.every((piece) => piece.length >= 256 * 1024));
  const output = Buffer.concat([...pieces, writer.take(true) ?? Buffer.alloc(0)]).toString();
  assert.equal(output, `\uFEFF${`${"x".repeat(999)},y\n`.repeat(1000)}`);
});

test("a long cell comes out piece by piece, cut between characters", () => {
  const short = "é".repeat(1000);
  for (const [encoding, quoted] of [
    ["utf-8", false],
    ["utf-16le", true],
  ] as const) {
    const writer = createTableWriter({
      dialect: { ...dialect, encoding },
      includeOriginal: true,
      formulaSafe: false,
      width: 1,
    });
    const long = `${quoted ? '"' : "x"}${"😀".repeat(500_000)}`;
    writer.record({ bytes: Buffer.from(`${short}\n`), width: 1, cells: [textCell(long), textCell("y")] });
    const pieces: Buffer[] = [];
    for (let piece = writer.take(); piece !== undefined; piece = writer.take()) pieces.push(piece);
    assert.ok(pieces.length > 2 && pieces.every((piece) => piece.length < 1024 * 1024));
    const written = new TextDecoder(encoding).decode(Buffer.concat([...pieces, writer.take(true) ?? Buffer.alloc(0)]));
    const cell = quoted ? `"${long.replaceAll('"', '""')}"` : long;
    assert.ok(written === `${short},${cell},y\n`, `${encoding}: ${written.length} characters`);
    assert.equal(writer.hasHalves(), false);
  }
});

describe("formula_safe", () => {
  const safe = async (cell: Cell, formulaSafe = true): Promise<string> => {
    const writer = createTableWriter({
      dialect: { ...dialect, delimiter: ";" },
      includeOriginal: false,
      formulaSafe,
      width: 1,
    });
    writer.record({ bytes: Buffer.from("a\n"), width: 1, cells: [cell] });
    const output = writer.take(true)?.toString() ?? "";
    const [[text = ""] = []] = parseCsv(output, { delimiter: ";" });
    return text;
  };

  for (const text of [
    '=HYPERLINK("http://example.com","x")',
    "@x",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "-2-3",
    "+2*3",
    "-A1",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "=5",
  ]) {
    it(`puts an apostrophe before ${JSON.stringify(text)}`, async () => {
      assert.equal(await safe(textCell(text)), `'${text}`);
    });
  }

  for (const text of [
    "-5",
    "+5",
    "-5.25",
    "-1,234.50",
    "-1 234,50",
    "-1e-5",
    "+1.5E+3",
    "-12%",
    "-12 %",
    "-.5",
    "+44 20 7946 0000",
    "+44 (0)20-7946.0000",
    "+1-800-555-0199 ext. 12",
    "-",
    "+",
    "",
    "a=b",
    "1-2",
    "'=x",
  ]) {
    it(`leaves ${JSON.stringify(text)} alone`, async () => {
      assert.equal(await safe(textCell(text)), text);
    });
  }

  it("leaves JSON numbers, objects and booleans alone", async () => {
    assert.equal(await safe(toCell(-1e-9)), "-1e-9");
    assert.equal(await safe(toCell({ a: "=x" })), '{"a":"=x"}');
    assert.equal(await safe(toCell(false)), "false");
  });

  it("does nothing unless asked", async () => {
    assert.equal(await safe(textCell("=1+1"), false), "=1+1");
  });

  it("never touches the original columns", async () => {
    assert.equal(await write("a\n=1+1\n", () => ["=2"], { formulaSafe: true }), "a,'=2\n=1+1,'=2\n");
  });
});
