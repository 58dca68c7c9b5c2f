import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { z } from "zod";
import { RowcallError } from "./errors.ts";
import { compileSchema, formatProblems, nearest, parseWith, readWith, suggest, type Problem } from "./schema.ts";

const schema = z.strictObject({
  name: z.string(),
  level: z.enum(["none", "screenshot", "video"]).default("none"),
  limits: z.strictObject({ rows: z.int().min(1), seconds: z.number().optional() }).optional(),
  columns: z
    .union([z.array(z.strictObject({ from: z.string(), to: z.string() })), z.record(z.string(), z.string())])
    .optional(),
  made: z
    .discriminatedUnion("type", [z.strictObject({ type: z.literal("concat"), columns: z.array(z.string()) })])
    .optional(),
});

function problemsOf(value: unknown): readonly Problem[] {
  try {
    parseWith(schema, value, "BATCH_INVALID", "batch file b.json");
  } catch (error) {
    assert.ok(error instanceof RowcallError);
    assert.equal(error.code, "BATCH_INVALID");
    return error.details["problems"] as readonly Problem[];
  }
  return [];
}

test("fills in defaults of a value that fits", () => {
  assert.deepEqual(parseWith(schema, { name: "a" }, "BATCH_INVALID", "batch file"), { name: "a", level: "none" });
});

test("lists every problem at once, each with its place", () => {
  assert.throws(
    () => parseWith(schema, { limits: { rows: 0 }, columms: {} }, "BATCH_INVALID", "batch file b.json"),
    (error: RowcallError) => {
      assert.match(error.message, /^The batch file b\.json is not valid: /);
      assert.deepEqual(
        (error.details["problems"] as Problem[]).map((problem) => problem.path),
        ["name", "limits.rows", "columms"],
      );
      assert.equal(error.hint, 'Did you mean "columns"?');
      return true;
    },
  );
});

test("says that a key is missing", () => {
  assert.deepEqual(problemsOf({}), [{ path: "name", message: "missing, expected string" }]);
});

test("names the nearest known key at every depth", () => {
  const hints = [
    { limits: { rows: 1, second: 2 } },
    { columns: [{ from: "a", to: "b", too: 1 }] },
    { made: { type: "concat", columns: [], colums: [] } },
  ];
  assert.deepEqual(
    hints.flatMap((part) => problemsOf({ name: "a", ...part })).map(({ path, hint }) => [path, hint]),
    [
      ["limits.second", 'Did you mean "seconds"?'],
      ["columns.0.too", 'Did you mean "to"?'],
      ["made.colums", 'Did you mean "columns"?'],
    ],
  );
});

test("names a choice that is not one, and the nearest that is", () => {
  assert.deepEqual(problemsOf({ name: "a", level: "vidoe", made: { type: "concatt" } }), [
    { path: "level", message: '"vidoe" is not a choice', hint: 'Did you mean "video"?' },
    { path: "made.type", message: '"concatt" is not a choice', hint: 'Did you mean "concat"?' },
  ]);
});

test("speaks of the form that was meant where several are allowed", () => {
  assert.deepEqual(problemsOf({ name: "a", columns: [{ from: "a" }] }), [
    { path: "columns.0.to", message: "missing, expected string" },
  ]);
  assert.deepEqual(problemsOf({ name: "a", columns: "all" }), [
    { path: "columns", message: 'expected array, or expected record, not "all"' },
  ]);
});

test("a problem says what stands there in place of what is expected, cut where it is long", () => {
  const numbers = z.strictObject({
    seconds: z.number().positive(),
    times: z.int(),
    name: z.string(),
    words: z.string().regex(/^a/),
    own: z.unknown().refine(() => false, "not like this"),
  });
  const { problems } = readWith(numbers, { seconds: -1, times: 2.5, name: ["a"], words: "b".repeat(80), own: 1 });
  assert.deepEqual(
    problems.map(({ path, message }) => `${path}: ${message}`),
    [
      "seconds: too small: expected number to be >0, not -1",
      "times: expected int, not 2.5",
      "name: expected string, not a list",
      `words: invalid string: must match pattern /^a/, not "${"b".repeat(58)}…`,
      "own: not like this",
    ],
  );
});

test("refuses a value that is no object at all", () => {
  assert.deepEqual(problemsOf("text"), [{ path: "", message: 'expected object, not "text"' }]);
});

test("finds the nearest word regardless of case and none when all are far", () => {
  assert.equal(nearest("htp", ["browser", "function", "http"]), "http");
  assert.equal(nearest("PostCode", ["street", "postcode"]), "postcode");
  assert.equal(nearest("lambda", ["browser", "http"]), undefined);
});

test("does not take a word of other letters for a near one", () => {
  assert.equal(nearest("ab", ["cd"]), undefined);
  assert.equal(nearest("x", ["y"]), undefined);
});

test("suggests the nearest word, else the known ones, else says there are none", () => {
  assert.equal(suggest("htp", ["http"]), 'Did you mean "http"?');
  assert.equal(suggest("lambda", ["browser", "http"]), "Known: browser, http.");
  assert.equal(suggest("lambda", []), "There are none.");
});

test("checks a value against a JSON Schema, formats included, and lists all problems", () => {
  const validate = compileSchema(
    {
      type: "object",
      required: ["speed"],
      properties: {
        speed: { type: "number" },
        kind: { enum: ["FTTC", "FTTP"] },
        at: { type: "string", format: "date-time" },
      },
    },
    "The schema",
  );
  assert.deepEqual(validate({ speed: 80, kind: "FTTC", at: "2025-10-18T05:30:00Z" }), []);
  assert.equal(
    formatProblems(validate({ kind: "ADSL", at: "yesterday" })),
    `must have required property 'speed'; kind must be equal to one of the allowed values: ["FTTC","FTTP"], not "ADSL"; at must match format "date-time", not "yesterday"`,
  );
});

test("a schema that is none is the agent's mistake", () => {
  assert.throws(() => compileSchema({ type: "nubmer" }, "The input_schema of agent a"), {
    code: "AGENT_INVALID",
    message: /^The input_schema of agent a is not a JSON Schema: /,
  });
});

test("reads each JSON Schema by the draft it declares, 2020-12 when it declares none", () => {
  const pair = { prefixItems: [{ type: "string" }], items: false };
  const oldPair = {
    $schema: "http://json-schema.org/draft-07/schema#",
    items: [{ type: "string" }],
    additionalItems: false,
  };
  for (const schema of [pair, { ...pair, $schema: "https://json-schema.org/draft/2020-12/schema" }, oldPair]) {
    const validate = compileSchema(schema, "The schema");
    assert.deepEqual(validate(["a"]), []);
    assert.notDeepEqual(validate([1]), []);
    assert.notDeepEqual(validate(["a", "b"]), []);
  }
});

test("names a property that a JSON Schema does not allow", () => {
  const validate = compileSchema({ type: "object", additionalProperties: false }, "The schema");
  assert.equal(formatProblems(validate({ extra: 1 })), 'must NOT have additional properties ("extra")');
});

describe("a JSON Schema of an agent, whatever it meets,", () => {
  const many = 100_000;

  it("takes a time that grows with the value", () => {
    for (const [schema, value, isFit] of [
      [{ type: "string", pattern: "^(a+)+$" }, `${"a".repeat(many)}!`, false],
      [{ type: "object", patternProperties: { "^(x|xx)+$": false } }, { [`${"x".repeat(many)}y`]: 1 }, true],
      [{ type: "object", propertyNames: { pattern: "^(a|b|ab)*c$" } }, { ["ab".repeat(many)]: 1 }, false],
      [{ type: "string", format: "url" }, `http://${"::".repeat(many)}`, false],
      [{ type: "string", format: "url" }, "https://example.com/a", true],
      [{ type: "array", uniqueItems: true }, Array.from({ length: many }, (_, i) => ({ i, list: [] })), true],
    ] as const)
      assert.equal(compileSchema(schema, "The schema")(value).length === 0, isFit, JSON.stringify(schema));
  });

  it("knows equal items in whatever order their keys are", () => {
    const validate = compileSchema({ uniqueItems: true }, "The schema");
    assert.deepEqual(validate([{ a: 1, b: [2] }, { b: [2] }, [], {}, [["a", 1]], { a: 1 }, "1", 1]), []);
    assert.equal(formatProblems(validate([{ a: 1, b: [2] }, 3, { b: [2], a: 1 }])), "must NOT have duplicate items");
    assert.deepEqual(compileSchema({ uniqueItems: false }, "The schema")([1, 1]), []);
  });

  it("names the part of a pattern that is not supported", () => {
    assert.throws(
      () => compileSchema({ properties: { a: { pattern: String.raw`^(?=.*\d)` } } }, "The input_schema of agent a"),
      {
        code: "AGENT_INVALID",
        message: String.raw`The input_schema of agent a has a pattern that cannot be used: "^(?=.*\\d)" has a lookahead, "(?=.*\\d)", which is not supported: it may take endless time`,
      },
    );
  });

  it("lists twenty problems and counts the others", () => {
    const value = Object.fromEntries(Array.from({ length: many }, (_, i) => [`c${i}`, ""]));
    const problems = compileSchema({ additionalProperties: false }, "The schema")(value);
    assert.match(formatProblems(problems), /\("c19"\); and 99980 more$/);
  });
});
