import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import type { InputDialect } from "../core/batch.ts";
import { bytesOf, encode, inPieces, pieceSizes, readTable, recordBytes, tables } from "../../test/fakes/tables.ts";
import { byteOrderMark, createEncoder, detectDialect, toUtf8, type Dialect } from "./dialect.ts";

const given: InputDialect = { ragged: "fail" };

const detect = (
  table: string | Uint8Array,
  set: Partial<InputDialect> = {},
  sizes: readonly number[] = [1_000_000],
): Promise<Dialect> => detectDialect(inPieces(Buffer.from(table), sizes), { ...given, ...set });

test("a file of another kind is refused as what it is, not read as a table of nonsense", async () => {
  const starts = {
    "PK\u0003\u0004\u0014": "an Excel workbook or another ZIP archive",
    "\u00d0\u00cf\u0011\u00e0\u00a1": "an old Excel workbook",
    "\u001f\u008b\b\b": "compressed by gzip",
    "%PDF-1.7": "a PDF",
    "PAR1\u0015\u0004": "a Parquet file",
    "\u007fELF\u0002": "a program",
  };
  for (const [start, what] of Object.entries(starts)) {
    await assert.rejects(detect(Buffer.from(`${start}a,b\n1,2\n`, "latin1"), {}, [3]), {
      code: "INPUT_MALFORMED",
      message: `The input is not a table: it is ${what}`,
    });
  }
  assert.equal((await detect("PAR1;PK\n1;2\n")).delimiter, ";");
});

describe("any table", () => {
  it("comes back byte for byte through UTF-8, whatever encoding and line end were detected", async () => {
    await fc.assert(
      fc.asyncProperty(tables, pieceSizes, async (table, sizes) => {
        const bytes = bytesOf(table);
        const read = await readTable(bytes, { ...given, delimiter: table.delimiter }, sizes);
        const { bytes: records, trailer } = recordBytes(read);
        const encoder = createEncoder(read.dialect);
        const back = Buffer.concat([
          byteOrderMark(read.dialect),
          ...[...records, trailer].map((part) => encoder.encode(part)),
        ]);
        assert.deepEqual(back, bytes);
        assert.equal(encoder.lost.size, 0);
      }),
      { numRuns: 300 },
    );
  });

  it("is detected alike in pieces of any size", async () => {
    await fc.assert(
      fc.asyncProperty(tables, pieceSizes, async (table, sizes) => {
        const bytes = bytesOf(table);
        assert.deepEqual(await detect(bytes, {}, sizes), await detect(bytes));
      }),
    );
  });

  it("with a mark is read in the encoding that the mark names", async () => {
    await fc.assert(
      fc.asyncProperty(tables, pieceSizes, async (table, sizes) => {
        fc.pre(table.encoding.endsWith("-mark"));
        const { encoding, bom } = await detect(bytesOf(table), {}, sizes);
        assert.deepEqual([`${encoding}-mark`, bom], [table.encoding, true]);
      }),
    );
  });
});

test("every one of the 256 bytes of Windows-1252 comes back", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const dialect = await detect(bytes);
  assert.equal(dialect.encoding, "windows-1252");
  const utf8 = Buffer.concat(await Array.fromAsync(toUtf8(inPieces(bytes, [7]), dialect)));
  assert.deepEqual(new Uint8Array(createEncoder(dialect).encode(utf8)), bytes);
});

for (const delimiter of [",", ";", "\t", "|"] as const) {
  test(`the delimiter ${JSON.stringify(delimiter)} is detected although cells hold the others`, async () => {
    const others = [",", ";", "\t", "|"].filter((other) => other !== delimiter);
    const lines = [
      ["name", "note", "n"],
      ["A", others.join(" "), "1"],
      ["B", `"${delimiter}"`, "2"],
      ["C", others.join("x"), "3"],
    ];
    assert.equal((await detect(lines.map((cells) => `${cells.join(delimiter)}\n`).join(""))).delimiter, delimiter);
  });

  test(`the delimiter ${JSON.stringify(delimiter)} can be set`, async () => {
    assert.equal((await detect("a,b;c\td|e\n1,2;3\t4|5\n", { delimiter })).delimiter, delimiter);
  });
}

test("a table of one column has the comma", async () => {
  assert.equal((await detect("note\nhello; world\nx|y\n")).delimiter, ",");
});

test("a header alone tells the delimiter", async () => {
  assert.equal((await detect("a;b")).delimiter, ";");
});

describe("the encoding", () => {
  const text = "name,city\nZoë,Köln\n";
  for (const [name, bytes, expected] of [
    ["UTF-8", Buffer.from(text), { encoding: "utf-8", bom: false }],
    ["UTF-8 with a mark", encode(`\uFEFF${text}`, "utf-8-mark"), { encoding: "utf-8", bom: true }],
    ["UTF-16 LE with a mark", encode(`\uFEFF${text}`, "utf-16le-mark"), { encoding: "utf-16le", bom: true }],
    ["UTF-16 BE with a mark", encode(`\uFEFF${text}`, "utf-16be-mark"), { encoding: "utf-16be", bom: true }],
    ["UTF-16 LE without a mark", encode(text, "utf-16le-mark"), { encoding: "utf-16le", bom: false }],
    ["UTF-16 BE without a mark", encode(text, "utf-16be-mark"), { encoding: "utf-16be", bom: false }],
    ["Windows-1252", encode(text, "windows-1252"), { encoding: "windows-1252", bom: false }],
  ] as const) {
    it(`${name} is detected, and its cells are read`, async () => {
      const { dialect, records } = await readTable(bytes, given, [1]);
      assert.deepEqual({ encoding: dialect.encoding, bom: dialect.bom }, expected);
      assert.deepEqual(
        records.map(({ cells }) => cells),
        [
          ["name", "city"],
          ["Zoë", "Köln"],
        ],
      );
    });
  }

  it("is decided by the last byte as well as by the first", async () => {
    const late = Buffer.concat([Buffer.from(`a\n${"x\n".repeat(200_000)}`), Buffer.from([0xe9, 0x0a])]);
    assert.equal((await detect(late, {}, [65_536])).encoding, "windows-1252");
  });

  it("can be set against what would be detected", async () => {
    const { records } = await readTable(Buffer.from("a\né\n"), { ...given, encoding: "windows-1252" });
    assert.deepEqual(records[1]?.cells, ["Ã©"]);
  });
});

describe("the line end", () => {
  for (const [name, text, expected] of [
    ["a line feed", "a\n1\n", "\n"],
    ["carriage return and line feed", "a\r\n1\r\n", "\r\n"],
    ["carriage return and line feed after a header of one letter and nothing else", "a\r\n", "\r\n"],
    ["a carriage return alone", "a\r1\r", "\r"],
    ["a carriage return alone, with line feeds inside quotes", 'a\r5" pipe\r"x\ny"\r', "\r"],
    ["the header's when the table is mixed", "a\r\n1\n2\r\n", "\r\n"],
    ["a line feed when carriage returns stand inside quotes only", '"a\rb"', "\n"],
    ["a line feed for one line without an end", "a,b", "\n"],
  ] as const) {
    it(`is ${name}`, async () => {
      assert.equal((await detect(text)).lineEnd, expected);
    });
  }

  it("is the same when the sample ends inside a quoted cell", async () => {
    const { lineEnd } = await detect(`a\r"${"x\n".repeat(200_000)}"\r`);
    assert.equal(lineEnd, "\r");
  });
});

describe("an input without a header", () => {
  for (const [name, bytes] of [
    ["empty", Buffer.alloc(0)],
    ["only a UTF-8 mark", encode("\uFEFF", "utf-8-mark")],
    ["only a UTF-16 LE mark", encode("\uFEFF", "utf-16le-mark")],
    ["only a UTF-16 BE mark", encode("\uFEFF", "utf-16be-mark")],
    ["only blank lines", Buffer.from("\n\r\n\n")],
    ["only spaces", Buffer.from("  \n \t\n")],
  ] as const) {
    it(`is refused when it is ${name}`, async () => {
      await assert.rejects(detect(bytes), { code: "INPUT_EMPTY", message: "The input is empty: it has no header" });
    });
  }

  it("is not one of a single letter", async () => {
    assert.equal((await detect("a")).encoding, "utf-8");
  });
});

test("damaged UTF-16 is refused, since it could not be written back as it was", async () => {
  const cut = encode("\uFEFFa\n1\n", "utf-16le-mark").subarray(0, -1);
  await assert.rejects(readTable(cut), {
    code: "INPUT_ENCODING",
    message: `The input is not valid utf-16le (within the first ${cut.length} bytes)`,
  });
});

test("UTF-8 that is no characters passes byte for byte when the encoding is set", async () => {
  const bytes = Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0xc3, 0x0a]);
  const { utf8, records } = await readTable(bytes, { ...given, encoding: "utf-8" }, [1]);
  assert.deepEqual(utf8, bytes);
  assert.deepEqual(records[1]?.cells, ["\uFFFD\uFFFD\uFFFD"]);
});

test("what the encoding lacks becomes a question mark and is reported once", () => {
  const encoder = createEncoder({
    encoding: "windows-1252",
    bom: false,
    delimiter: ",",
    lineEnd: "\n",
    ragged: "fail",
  });
  assert.equal(encoder.encode(Buffer.from("€ 日本 日 😀 é")).toString("latin1"), "\x80 ?? ? ? é");
  assert.deepEqual([...encoder.lost], ["日", "本", "😀"]);
});

test("what fails while the input is read is passed on as it is", async () => {
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a");
    throw new Error("ECONNRESET");
  };
  const dialect = await detect("a\n", { encoding: "windows-1252" });
  await assert.rejects(Array.fromAsync(toUtf8(broken(), dialect)), { message: "ECONNRESET" });
});
