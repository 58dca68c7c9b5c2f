import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renderText, renderValue, variablesOf } from "./render.ts";

test("inserts any value as it is: no HTML escapes, no second reading as Mustache", () => {
  const awkward = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("<&>\"'\\\n", "{{other}}", "{{{", "}}", "$&", "🏠"),
  );
  fc.assert(
    fc.property(awkward, (value) => {
      assert.equal(
        renderText("[{{name}}|{{{name}}}|{{&name}}]", { name: value, other: "no" }),
        `[${value}|${value}|${value}]`,
      );
    }),
  );
});

test("names the variable that is missing, null included", () => {
  for (const variables of [{}, { postcode: null }, { postcode: undefined }]) {
    assert.throws(() => renderText("{{postcode}}", variables), {
      code: "TEMPLATE_RENDER",
      message: 'Template variable "postcode" is missing',
      hint: /Map a column to "postcode"/,
    });
  }
});

test("inserts the empty string, zero and false, which are values", () => {
  assert.equal(renderText("[{{a}}{{b}}{{c}}]", { a: "", b: 0, c: false }), "[0false]");
});

test("renders sections for what is there and inverted sections for what is not", () => {
  const text = "{{#flat}}Flat {{flat}}, {{/flat}}{{^flat}}House, {{/flat}}{{street}}";
  assert.equal(renderText(text, { flat: "2", street: "High Street" }), "Flat 2, High Street");
  for (const flat of ["", false, 0, null, []])
    assert.equal(renderText(text, { flat, street: "High Street" }), "House, High Street");
});

test("repeats a section for each item and looks outwards for names an item lacks", () => {
  const text = "{{#rooms}}{{name}}@{{house}};{{/rooms}}{{#tags}}<{{.}}>{{/tags}}";
  assert.equal(
    renderText(text, { house: 7, rooms: [{ name: "a" }, { name: "b" }], tags: ["x", "y"] }),
    "a@7;b@7;<x><y>",
  );
});

test("asks nothing of variables inside a section that is not rendered", () => {
  assert.equal(renderText("a{{#flat}}{{floor}}{{/flat}}", {}), "a");
});

test("reads dotted names as paths, unless a variable has that very name", () => {
  assert.equal(renderText("{{a.b}}", { a: { b: 1 } }), "1");
  assert.equal(renderText("{{a.b}} {{No.}}", { "a.b": 2, a: { b: 1 }, "No.": 3 }), "2 3");
  assert.equal(renderText("{{#on}}{{No.}}{{/on}}", { on: true, "No.": 3 }), "3");
});

test("knows no variables but the given ones", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    assert.throws(() => renderText(`{{${name}}}`, {}), { code: "TEMPLATE_RENDER" });
  }
  assert.equal(renderText("{{#name}}{{length}}{{/name}}", { name: "abc", length: "12 m" }), "12 m");
});

test("writes objects and arrays as JSON text, however they are inserted", () => {
  assert.equal(renderText("{{o}} {{{o}}} {{&l}}", { o: { a: 1 }, l: [1] }), '{"a":1} {"a":1} [1]');
});

test("encodes what two braces insert and leaves alone what three do", () => {
  assert.equal(renderText("/{{a}}/{{{a}}}", { a: "x/y" }, encodeURIComponent), "/x%2Fy/x/y");
});

test("refuses partials, other delimiters and sections left open", () => {
  for (const text of ["{{>part}}", "{{=<% %>=}}", "{{#a}}", "{{a", "{{#a}}{{/b}}"]) {
    assert.throws(() => renderText(text, { a: "1" }), { code: "TEMPLATE_RENDER", hint: /./ }, text);
  }
});

test("keeps the type of a value that a string consists of, at any depth", () => {
  const value = {
    n: "{{n}}",
    list: ["{{ flag }}", "n = {{n}}"],
    o: "{{o}}",
    spaced: "{{house number}}",
    fixed: 1,
    nothing: null,
  };
  const variables = { n: 80, flag: true, o: { a: [1] }, "house number": 9 };
  assert.deepEqual(renderValue(value, variables), {
    n: 80,
    list: [true, "n = 80"],
    o: { a: [1] },
    spaced: 9,
    fixed: 1,
    nothing: null,
  });
});

test("names a missing variable in a JSON value too", () => {
  assert.throws(() => renderValue({ a: ["{{gone}}"] }, {}), { message: 'Template variable "gone" is missing' });
});

test("lists the variables that a value uses, sections included", () => {
  const names = variablesOf({ url: "/{{a}}{{#b}}{{c.d}}{{.}}{{/b}}", list: ["{{{e}}}{{! note }}{{^f}}{{/f}}"] });
  assert.deepEqual([...names].sort(), ["a", "b", "c.d", "e", "f"]);
});
