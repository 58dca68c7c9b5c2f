import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import type { InputMapping } from "../core/batch.ts";
import { parseBatch } from "../core/batch-file.ts";
import type { RowcallError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Row } from "../core/row.ts";
import type { Problem } from "../core/schema.ts";
import { createMapper, mappedFields, mappingProblems, namedColumns, type Mapped, type MapInput } from "./map.ts";

/** A mapping as people write it. */
const mappingOf = (written: JsonObject): InputMapping =>
  parseBatch({ agent_name: "a", input_mapping: written }, "batch").inputMapping;

interface Setup {
  readonly header?: readonly string[];
  readonly ragged?: "fail" | "pad" | "keep";
  readonly schema?: JsonObject;
}

const header = ["number", "street", "postcode", "note"];

const mapper = (written: JsonObject, setup: Setup = {}): MapInput =>
  createMapper(mappingOf(written), setup.header ?? header, setup.ragged ?? "fail", {
    agent_name: "a",
    input_schema: setup.schema,
  });

const rowOf = (...cells: string[]): Row => ({ index: 2, line: 4, cells });
const row = rowOf("45A", "Park Road", "E8 4LX", "");

const map = (written: JsonObject, setup: Setup = {}, of: Row = row): Mapped => mapper(written, setup)(of);

const failureOf = (mapped: Mapped): readonly [code: string, message: string] => {
  assert.ok("failure" in mapped, JSON.stringify(mapped));
  assert.equal(mapped.failure.retryable, false);
  return [mapped.failure.code, mapped.failure.message];
};

const refused = (act: () => unknown): RowcallError => {
  let error: unknown;
  assert.throws(act, (thrown) => {
    error = thrown;
    return true;
  });
  return error as RowcallError;
};

describe("the forms of a mapping", () => {
  it("nothing: every named column under its own name, empty cells left out", () => {
    assert.deepEqual(map({}), { input: { number: "45A", street: "Park Road", postcode: "E8 4LX" } });
    assert.deepEqual(map({}, { header: ["a", "", "b", ""] }, rowOf("1", "2", "3", "4")), { input: { a: "1", b: "3" } });
  });

  it("a list of columns and fields", () => {
    const column_mappings = [
      { csv_column: "postcode", agent_input_field: "zip", required: true },
      { csv_column: "note", agent_input_field: "remark", required: false },
    ];
    assert.deepEqual(map({ column_mappings }), { input: { zip: "E8 4LX" } });
  });

  it("a dictionary of column to field", () => {
    assert.deepEqual(map({ column_mappings: { postcode: "zip", street: "road" } }), {
      input: { zip: "E8 4LX", road: "Park Road" },
    });
  });

  it("include_columns", () => {
    assert.deepEqual(map({ include_columns: ["postcode", "note"] }), { input: { postcode: "E8 4LX" } });
  });

  it("exclude_columns", () => {
    assert.deepEqual(map({ exclude_columns: ["number", "street"] }), { input: { postcode: "E8 4LX" } });
  });

  it("a default where the cell is empty, of any JSON type", () => {
    for (const value of ["none", 0, false, ["x"], { a: 1 }] as const) {
      const column_mappings = [{ csv_column: "note", agent_input_field: "note", default: value, required: true }];
      assert.deepEqual(map({ column_mappings }), { input: { note: value } });
    }
  });

  it("static values in every row", () => {
    assert.deepEqual(map({ include_columns: [], static_values: { country: "GB", deep: { a: [1] } } }), {
      input: { country: "GB", deep: { a: [1] } },
    });
  });

  it("concat joins the cells that are not empty", () => {
    const concat = (more: object): Mapped =>
      map({ transformations: { address: { type: "concat", columns: ["number", "note", "street"], ...more } } });
    assert.deepEqual(concat({}), { input: { address: "45A Park Road" } });
    assert.deepEqual(concat({ separator: ", " }), { input: { address: "45A, Park Road" } });
  });

  it("template inserts cells as data, with sections for empty ones", () => {
    const template = "{{number}} {{street}}{{#note}}, {{note}}{{/note}}{{^note}} (no note){{/note}}";
    assert.deepEqual(map({ transformations: { address: { type: "template", template } } }), {
      input: { address: "45A Park Road (no note)" },
    });
    const odd = rowOf("1 & 2", '"<b>"', "{{number}}", "\\n");
    assert.deepEqual(
      map(
        { transformations: { t: { type: "template", template: "{{number}}|{{street}}|{{postcode}}|{{note}}" } } },
        {},
        odd,
      ),
      {
        input: { t: '1 & 2|"<b>"|{{number}}|\\n' },
      },
    );
  });

  it("template takes columns whose names have dots and spaces", () => {
    const template = { type: "template", template: "{{No.}} {{flat no}}" };
    assert.deepEqual(map({ transformations: { t: template } }, { header: ["No.", "flat no"] }, rowOf("1", "2")), {
      input: { t: "1 2" },
    });
  });

  it("jsonpath takes the first match, with its type", () => {
    const path = (text: string, more: object = {}): Mapped =>
      map(
        { transformations: { n: { type: "jsonpath", column: "note", path: "$.list[*].n", ...more } } },
        {},
        rowOf("", "", "", text),
      );
    assert.deepEqual(path('{"list":[{"n":7},{"n":8}]}'), { input: { n: 7 } });
    assert.deepEqual(path('{"list":[{"n":{"deep":true}}]}'), { input: { n: { deep: true } } });
    for (const nothing of ["", "no JSON", "{}", '{"list":[{"n":null}]}', '{"list":[{"n":" "}]}']) {
      assert.deepEqual(path(nothing), { input: {} }, nothing);
      assert.deepEqual(failureOf(path(nothing, { required: true })), [
        "ROW_VALUE_MISSING",
        'Required field "n" has no value: its jsonpath transformation is empty on line 4',
      ]);
    }
  });

  it("a later part wins: columns passed, mapped columns, transformations, static values", () => {
    const all = {
      include_columns: ["street"],
      column_mappings: { postcode: "street" },
      transformations: { street: { type: "template", template: "t {{number}}" } },
      static_values: { street: "static" },
    };
    assert.deepEqual(map(all), { input: { street: "static" } });
    assert.deepEqual(map({ ...all, static_values: {} }), { input: { street: "t 45A" } });
    assert.deepEqual(map({ ...all, static_values: {}, transformations: {} }), { input: { street: "E8 4LX" } });
  });

  it("any cells come through as they are, unless they are blank", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 4, maxLength: 4 }), (cells) => {
        const expected = header
          .map((name, i) => [name, cells[i] ?? ""] as const)
          .filter(([, cell]) => cell.trim() !== "");
        assert.deepEqual(map({}, {}, rowOf(...cells)), { input: Object.fromEntries(expected) });
      }),
    );
  });
});

describe("a required value", () => {
  const required = { csv_column: "note", agent_input_field: "remark", required: true };

  it("that is empty fails the row with column and line", () => {
    for (const cell of ["", "  ", "\t", "\u00A0"]) {
      const mapped = map({ column_mappings: [required] }, {}, rowOf("", "", "", cell));
      assert.deepEqual(mapped, {
        failure: {
          status: "failed",
          code: "ROW_VALUE_MISSING",
          message: 'Required field "remark" has no value: column "note" is empty on line 4',
          hint: "Fill the cell, give the mapping a default, or set required to false.",
          retryable: false,
        },
      });
    }
  });

  it("is missed together with every other one", () => {
    const column_mappings = ["number", "street", "note"].map((name) => ({
      csv_column: name,
      agent_input_field: `f_${name}`,
      required: true,
    }));
    assert.deepEqual(failureOf(map({ column_mappings }, {}, rowOf("", "Park Road", "", ""))), [
      "ROW_VALUE_MISSING",
      'Required fields "f_number", "f_note" have no value: column "number", column "note" are empty on line 4',
    ]);
  });

  it("may come from another part of the mapping", () => {
    const columns = { column_mappings: [required] };
    assert.deepEqual(map({ ...columns, static_values: { remark: "x" } }), { input: { remark: "x" } });
    const transformations = { remark: { type: "template", template: "{{street}}" } };
    assert.deepEqual(map({ ...columns, transformations }), { input: { remark: "Park Road" } });
  });

  it("is not found among what every object has", () => {
    const named = { ...required, agent_input_field: "constructor" };
    assert.equal(failureOf(map({ column_mappings: [named] }))[0], "ROW_VALUE_MISSING");
  });

  it("of a transformation is missed too", () => {
    const transformations = { both: { type: "concat", columns: ["note"], required: true } };
    assert.deepEqual(failureOf(map({ transformations })), [
      "ROW_VALUE_MISSING",
      'Required field "both" has no value: its concat transformation is empty on line 4',
    ]);
  });
});

describe("the agent's input schema", () => {
  const properties = {
    n: { type: "number" },
    i: { type: ["integer", "null"] },
    b: { type: "boolean" },
    s: { type: "string" },
    any: true,
  };
  const schema = { type: "object", properties };
  const typed = (n: string, i: string, b: string, s: string): Mapped =>
    map({}, { header: ["n", "i", "b", "s"], schema }, rowOf(n, i, b, s));

  it("has numbers and booleans read from text, and leaves strings alone", () => {
    assert.deepEqual(typed("1.50", "007", "TRUE", "007"), { input: { n: 1.5, i: 7, b: true, s: "007" } });
    assert.deepEqual(typed(" -1e3 ", "0", " false ", "true"), { input: { n: -1000, i: 0, b: false, s: "true" } });
    assert.deepEqual(typed("", "", "", ""), { input: {} });
  });

  it("refuses text that is no such value, naming the line and everything that is wrong", () => {
    assert.deepEqual(failureOf(typed("1,5", "1.5", "yes", "x")), [
      "ROW_INVALID",
      `The agent's input schema refuses line 4: n must be number, not "1,5"; i must be integer,null, not 1.5; b must be boolean, not "yes"`,
    ]);
  });

  it("refuses figures that a number cannot hold rather than round them", () => {
    assert.deepEqual(failureOf(typed("1", "12345678901234567890", "true", "")), [
      "ROW_INVALID",
      `The agent's input schema refuses line 4: i must be integer,null, not "12345678901234567890"`,
    ]);
  });

  it("asks for fields", () => {
    const mapped = map({ include_columns: ["note"] }, { schema: { type: "object", required: ["postcode"] } });
    assert.deepEqual(failureOf(mapped), [
      "ROW_INVALID",
      "The agent's input schema refuses line 4: must have required property 'postcode'",
    ]);
  });

  it("that is none is refused before any row", () => {
    for (const broken of [{ type: "nothing" }, { properties: { a: null } }]) {
      assert.equal(refused(() => mapper({}, { schema: broken })).code, "AGENT_INVALID");
    }
  });
});

describe("a record of another width than the header", () => {
  const short = rowOf("1", "High Street");
  const long = rowOf("1", "High Street", "SW1A 1AA", "", "surplus");
  const input = { number: "1", street: "High Street" };

  for (const [ragged, ofShort, ofLong] of [
    ["fail", undefined, undefined],
    ["pad", { input }, undefined],
    ["keep", { input }, { input: { ...input, postcode: "SW1A 1AA" } }],
  ] as const) {
    it(`too short, under ${ragged}, ${ofShort === undefined ? "fails with its line" : "is padded"}`, () => {
      const mapped = map({}, { ragged }, short);
      if (ofShort === undefined) {
        assert.deepEqual(mapped, {
          failure: {
            status: "failed",
            code: "ROW_RAGGED",
            message: "Line 4 has 2 cells where the header has 4",
            hint: 'Correct the line, or set "ragged" in the batch file\'s input to "pad".',
            retryable: false,
          },
        });
      } else assert.deepEqual(mapped, ofShort);
    });

    it(`too long, under ${ragged}, ${ofLong === undefined ? "fails with its line" : "keeps its surplus to itself"}`, () => {
      const mapped = map({}, { ragged }, long);
      if (ofLong === undefined) {
        assert.deepEqual(failureOf(mapped), ["ROW_RAGGED", "Line 4 has 5 cells where the header has 4"]);
      } else assert.deepEqual(mapped, ofLong);
    });
  }
});

describe("what does not fit the table", () => {
  it("a column that is not there is refused with the nearest one", () => {
    const error = refused(() => mapper({ column_mappings: { Postcod: "postcode" } }));
    assert.deepEqual(
      [error.code, error.message, error.hint],
      [
        "COLUMN_MISSING",
        'The input mapping does not fit the table: input_mapping.column_mappings column "Postcod" is not in the input',
        'Did you mean "postcode"?',
      ],
    );
  });

  it("a column that is there twice is refused when it is used, not when it is left out", () => {
    const twice = { header: ["a", "b", "a"] };
    for (const written of [
      { include_columns: ["a"] },
      { column_mappings: { a: "x" } },
      {},
      { exclude_columns: ["b"] },
    ]) {
      const error = refused(() => mapper(written, twice));
      assert.deepEqual(
        [error.code, error.message.includes('column "a" is in the input more than once')],
        ["COLUMN_DUPLICATE", true],
      );
    }
    assert.deepEqual(map({ exclude_columns: ["a"] }, twice, rowOf("1", "2", "3")), { input: { b: "2" } });
    assert.deepEqual(map({ include_columns: ["b"] }, twice, rowOf("1", "2", "3")), { input: { b: "2" } });
  });

  it("everything is told at once", () => {
    const written = {
      column_mappings: { nope: "x", number: "n" },
      transformations: {
        c: { type: "concat", columns: ["street", "stret"] },
        t: { type: "template", template: "{{number}} {{#open}}" },
        u: { type: "template", template: "{{missing}}" },
        j: { type: "jsonpath", column: "note", path: "not a path" },
      },
    };
    const problems = refused(() => mapper(written)).details["problems"] as Problem[];
    assert.deepEqual(
      problems.map(({ path }) => path.replace("input_mapping.", "")),
      ["column_mappings", "transformations.c", "transformations.t", "transformations.u", "transformations.j"],
    );
    assert.deepEqual(problems, mappingProblems(mappingOf(written), header));
    assert.ok(problems.every(({ hint }) => hint !== undefined && hint !== ""));
  });

  it("a template or a path that is none is a mistake of the batch, not of a column", () => {
    for (const t of [
      { type: "template", template: "{{#open}}" },
      { type: "jsonpath", column: "note", path: "][" },
    ]) {
      assert.equal(refused(() => mapper({ transformations: { t } })).code, "BATCH_INVALID");
    }
  });

  it("what a template cannot do fails the row, not the run", () => {
    const t = { type: "template", template: "{{>street}}" };
    assert.equal(failureOf(map({ transformations: { t } }))[0], "TEMPLATE_RENDER");
  });
});

test("the fields a mapping sets and the columns it names are known without a row", () => {
  const mapping = mappingOf({
    include_columns: ["note"],
    column_mappings: { postcode: "zip" },
    transformations: { line: { type: "template", template: "{{number}} {{street}}" } },
    static_values: { country: "GB" },
  });
  assert.deepEqual(mappedFields(mapping, header), { selected: ["note"], named: ["zip", "line", "country"] });
  assert.deepEqual(namedColumns(mapping), ["note", "postcode", "number", "street"]);
});

test("a table of 200,000 columns is mapped in a time that grows with them", () => {
  const wide = Array.from({ length: 200_000 }, (_, i) => `c${i}`);
  const everything = mapper({}, { header: wide });
  const mapped = everything({ index: 0, line: 2, cells: wide.map((name) => name.slice(1)) });
  assert.ok("input" in mapped);
  assert.equal(mapped.input["c199999"], "199999");
  const [problem, ...others] = mappingProblems(mappingOf({}), [...wide, "c5"]);
  assert.equal(problem?.message, 'column "c5" is in the input more than once');
  assert.deepEqual(others, []);
  assert.equal(mappedFields(mappingOf({ exclude_columns: wide.slice(1) }), wide).selected.length, 1);
});
