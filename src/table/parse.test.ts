import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, it, test } from "node:test";
import { parse as parseCsv } from "csv-parse/sync";
import fc from "fast-check";
import { bytesOf, dialectOf, inPieces, pieceSizes, readTable, recordBytes, tables } from "../../test/fakes/tables.ts";
import type { Dialect } from "./dialect.ts";
import { parseCells, parseRecords, splitRecord, type ParsedRecord } from "./parse.ts";

const plain: Dialect = { encoding: "utf-8", bom: false, delimiter: ",", lineEnd: "\n", ragged: "fail" };

async function parse(
  text: string | Buffer,
  dialect: Partial<Dialect> = {},
  sizes: readonly number[] = [1_000_000],
): Promise<ParsedRecord[]> {
  const chunks = await Array.fromAsync(parseRecords(inPieces(Buffer.from(text), sizes), { ...plain, ...dialect }));
  return chunks.flat();
}

const cellsIn = async (text: string, dialect: Partial<Dialect> = {}): Promise<(readonly string[])[]> =>
  (await parse(text, dialect)).map(({ cells }) => cells);

/** What the grammar's library makes of the text when it reads all of it. */
const libraryReads = (text: string, { delimiter, lineEnd }: Dialect): string[][] =>
  parseCsv(text, {
    delimiter,
    record_delimiter: lineEnd === "\r" ? ["\r"] : ["\r\n", "\n"],
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
  });

describe("any table in any dialect", () => {
  it("gives each record's cells, line and bytes, wherever the pieces it arrives in are cut", async () => {
    await fc.assert(
      fc.asyncProperty(tables, pieceSizes, async (table, sizes) => {
        const read = await readTable(bytesOf(table), dialectOf(table), sizes);
        assert.deepEqual(
          read.records.map(({ cells, line }) => ({ cells, line })),
          table.records.map(({ cells, line }) => ({ cells, line })),
        );
        const { bytes, trailer } = recordBytes(read);
        assert.deepEqual(
          bytes.map((record) => {
            const { lead, body, lineEnd } = splitRecord(record, read.dialect);
            return { lead: lead.toString(), body: body.toString(), lineEnd: lineEnd.toString() };
          }),
          table.records.map(({ lead, body, lineEnd }) => ({ lead, body, lineEnd })),
        );
        assert.equal(trailer.toString(), table.trailer);
      }),
      { numRuns: 300 },
    );
  });

  it("has the same cells when some of its records are read alone", async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.nat(), fc.nat(), async (table, a, b) => {
        const read = await readTable(bytesOf(table), dialectOf(table));
        const many = read.records.length;
        const [from, to] = [a % many, b % many].toSorted((x, y) => x - y) as [number, number];
        const start = read.records[from - 1]?.end ?? 0;
        const part = read.records.slice(from, to + 1);
        const ends = part.map(({ end }) => end - start);
        const cells = parseCells(read.utf8.subarray(start, read.records[to]?.end), ends, read.dialect);
        assert.deepEqual(
          cells,
          part.map((record) => record.cells),
        );
      }),
    );
  });

  it("is read as the grammar's library reads it, with quotes and without", async () => {
    const text = (pieces: string[]): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join(""));
    const withoutQuotes = ["a", "é", "😀", " ", ",", ";", "\n", "\n", "\r\n", "\r", "\0", "\uFEFF"];
    const dialects = fc.record({
      delimiter: fc.constantFrom<Dialect["delimiter"][]>(",", ";"),
      lineEnd: fc.constantFrom<Dialect["lineEnd"][]>("\n", "\r\n", "\r"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(text(withoutQuotes), text([...withoutQuotes, '"', '"a"'])),
        dialects,
        pieceSizes,
        async (given, dialect, sizes) => {
          const setup = { ...plain, ...dialect };
          let expected: string[][] | undefined;
          try {
            expected = libraryReads(given, setup);
          } catch {
            // An open quote: both must refuse.
          }
          const read = parse(given, setup, sizes);
          if (expected === undefined) await assert.rejects(read, { code: "INPUT_MALFORMED" });
          else
            assert.deepEqual(
              (await read).map(({ cells }) => cells),
              expected,
            );
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("csv-spectrum", async () => {
  const folder = dirname(createRequire(import.meta.url).resolve("csv-spectrum"));
  const names = ["comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates"];
  names.push("newlines", "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8");
  for (const name of names) {
    it(`reads ${name}.csv as its JSON and keeps every byte`, async () => {
      const bytes = await readFile(join(folder, "csvs", `${name}.csv`));
      const json = await readFile(join(folder, "json", `${name}.json`), "utf8");
      // The package's location_coordinates.json is not in a list and has another telephone number than its CSV.
      const expected: unknown = JSON.parse(json.replace("1234567890", "2095257564"));
      const read = await readTable(bytes);
      const [header, ...rows] = read.records.map(({ cells }) => cells);
      assert.deepEqual(
        rows.map((cells): unknown => Object.fromEntries(cells.map((cell, i) => [header?.[i], cell]))),
        [expected].flat(),
      );
      const { bytes: records, trailer } = recordBytes(read);
      assert.deepEqual(Buffer.concat([...records, trailer]), bytes);
    });
  }
});

test("a quoted cell may hold delimiters, doubled quotes and line breaks", async () => {
  assert.deepEqual(await cellsIn('a,b\n"x, ""y""\r\nz",2\n'), [
    ["a", "b"],
    ['x, "y"\r\nz', "2"],
  ]);
});

test("a quote inside an unquoted cell is an ordinary character", async () => {
  assert.deepEqual(await cellsIn('a,b\n5" pipe,"x"y\n'), [
    ["a", "b"],
    ['5" pipe', '"x"y'],
  ]);
});

test("spaces and leading zeros stay", async () => {
  assert.deepEqual(await cellsIn("a, b\n 007 ,\t0\n"), [
    ["a", " b"],
    [" 007 ", "\t0"],
  ]);
});

test("blank lines are no records and belong to the bytes of the record after them", async () => {
  const records = await parse("a\n\n\r\n1\n\n");
  assert.deepEqual(
    records.map(({ cells, line, end }) => [cells, line, end]),
    [
      [["a"], 1, 2],
      [["1"], 4, 7],
    ],
  );
});

test("a record of one quoted empty cell is a record", async () => {
  assert.deepEqual(await cellsIn('a\n""\n'), [["a"], [""]]);
});

test("a lone carriage return is data in a table whose lines end otherwise, even as a whole record", async () => {
  const text = "a\n\r\r\n\rb\n";
  assert.deepEqual(await cellsIn(text), [["a"], ["\r"], ["\rb"]]);
  const parts = splitRecord(Buffer.from("\n\r\r\n"), plain);
  assert.deepEqual([parts.lead, parts.body, parts.lineEnd].map(String), ["\n", "\r", "\r\n"]);
});

test("lone carriage returns end records in a table that has no other line end", async () => {
  const records = await parse('a,b\r"1\n2",3\r\r4,5', { lineEnd: "\r" });
  assert.deepEqual(
    records.map(({ cells, line }) => [cells, line]),
    [
      [["a", "b"], 1],
      [["1\n2", "3"], 2],
      [["4", "5"], 4],
    ],
  );
});

for (const [where, text, line] of [
  ["in the header", '"a,b\n1,2\n', 1],
  ["in a row", 'a,b\n1,2\n\n3,"4\n5,6\n', 4],
  ["after quoted newlines", 'a\n"1\n\n2"\n"', 5],
] as const) {
  for (const size of [1, 1000]) {
    test(`a quote that is never closed ${where} is named by its line, in pieces of ${size}`, async () => {
      await assert.rejects(parse(text, {}, [size]), {
        code: "INPUT_MALFORMED",
        message: `The input is not a table: a quote is opened in the record that begins on line ${line} and never closed`,
        details: { line },
      });
    });
  }
}
