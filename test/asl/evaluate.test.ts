import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonValue } from "../../src/core/json.ts";
import { evaluate, EvaluationFailure, type Bindings } from "./evaluate.ts";

const bindings: Bindings = {
  states: { input: { rows: [1, 2, 3], one: ["a"] } },
  variables: { limit: 2 },
  now: Date.UTC(2026, 0, 2, 3, 4, 5),
  random: () => 0.25,
};

for (const [template, expected] of [
  ["{% $states.input.rows[$ > $limit] %}", 3],
  [" {% 1 %}", " {% 1 %}"],
  ["{% 1 %} ", "{% 1 %} "],
  [
    { a: ["{% 1 %}", { b: "{% 'x' %}" }], c: null },
    { a: [1, { b: "x" }], c: null },
  ],
  ["{% $states.input.one %}", ["a"]],
  ["{% $partition($states.input.rows, 2) %}", [[1, 2], [3]]],
  ["{% $partition($states.input.rows, 2.9) %}", [[1, 2], [3]]],
  ["{% $range(0, 5, 2) %}", [0, 2, 4]],
  ["{% $range(5, 1, -2) %}", [5, 3, 1]],
  ["{% $hash('rowcall', 'SHA-1') %}", "d09d78c3186d7b6a38e03eb81967f9681f069565"],
  ["{% $parse('{\"a\":[1]}').a %}", [1]],
  ["{% $random() %}", 0.25],
  ["{% $random(7) = $random(7) %}", true],
  ["{% $length($uuid()) %}", 36],
  ["{% $millis() %}", Date.UTC(2026, 0, 2, 3, 4, 5)],
  ["{% $now() %}", "2026-01-02T03:04:05.000Z"],
  ["{% $now('[Y0001]') %}", "2026"],
  ["{% $exists($parse($states.input.nothing)) %}", false],
] as const)
  test(`evaluates ${JSON.stringify(template)}`, async () =>
    assert.deepEqual(await evaluate(template, "Output", bindings), expected));

for (const [expression, problem] of [
  ["$nobody", "The JSONata expression '$nobody' specified for the field 'Output/a[1]' returned nothing (undefined)."],
  [
    "$states.input.x.y",
    "The JSONata expression '$states.input.x.y' specified for the field 'Output/a[1]' returned nothing (undefined).",
  ],
  [
    "function($x) { $x }",
    "The JSONata expression 'function($x) { $x }' specified for the field 'Output/a[1]' returned an unsupported result type.",
  ],
  [
    "[1, $sum]",
    "The JSONata expression '[1, $sum]' specified for the field 'Output/a[1]' returned an unsupported result type.",
  ],
  [
    "1 + 'a'",
    `The JSONata expression '1 + 'a'' specified for the field 'Output/a[1]' threw an error during evaluation. T2002: The right side of the "+" operator must evaluate to a number`,
  ],
  [
    "$parse('{')",
    "The JSONata expression '$parse('{')' specified for the field 'Output/a[1]' threw an error during evaluation: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
  ],
] as const)
  test(`says what is wrong with ${expression}`, () =>
    assert.rejects(evaluate({ a: [0, `{% ${expression} %}`] }, "Output", bindings), (error) => {
      assert.ok(error instanceof EvaluationFailure);
      assert.equal(error.message, problem);
      assert.equal(error.location, "Output/a[1]");
      return true;
    }));

test("gives back any JSON as it is, in a template and through an expression", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const json = JSON.parse(JSON.stringify(value)) as JsonValue;
      assert.deepEqual(await evaluate("{% $states.input %}", "Output", { ...bindings, states: { input: json } }), json);
      assert.deepEqual(await evaluate({ value: json }, "Output", bindings), { value: json });
    }),
    { numRuns: 100 },
  );
});
