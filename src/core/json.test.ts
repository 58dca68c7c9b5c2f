import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { getOwn, isDigits, isJsonObject, parseJson, replaceDigits, setOwn } from "./json.ts";

const again = (text: string): string => JSON.stringify(parseJson(text));

describe("numbers that JavaScript cannot hold keep their digits", () => {
  for (const digits of [
    "12345678901234567890",
    "-12345678901234567890",
    "9007199254740993",
    "1152921504606846976",
    "12345678901234567.5",
    "100000000000000000000000000001",
    "1e400",
    "-1e400",
    "1e-400",
  ]) {
    it(digits, () => {
      assert.equal(again(digits), digits);
      assert.equal(again(`{"a":[${digits},1],"b":{"c":${digits}}}`), `{"a":[${digits},1],"b":{"c":${digits}}}`);
    });
  }
});

describe("other numbers are JavaScript's own", () => {
  for (const [text, number] of [
    ["9007199254740991", 9_007_199_254_740_991],
    ["9007199254740992", 9_007_199_254_740_992],
    ["1.10", 1.1],
    ["0.1234567890123456789", 0.123_456_789_012_345_68],
    ["1E3", 1000],
    ["6.02e23", 6.02e23],
    ["1e22", 1e22],
    ["-0", -0],
    ["0e400", 0],
    ["0.00000000000000000000", 0],
  ] as const) {
    it(text, () => assert.deepEqual(parseJson(text), number));
  }
});

test("what is not a number is as JSON.parse has it, long digits beside it or not", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, beside) => {
      const text = JSON.stringify(beside ? { "1234567890123456": value } : value);
      assert.deepEqual(parseJson(text), JSON.parse(text));
    }),
  );
});

test("an integer of any length comes back digit by digit", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (integer) => {
      assert.equal(again(`{"id":${integer}}`), `{"id":${integer}}`);
    }),
  );
});

test("a number of digits is no object, and can be replaced", () => {
  const value = parseJson('{"id":12345678901234567890,"list":[1,1e999]}');
  assert.ok(isJsonObject(value));
  assert.ok(isDigits(value["id"]) && !isJsonObject(value["id"]));
  assert.deepEqual(replaceDigits(value, String), { id: "12345678901234567890", list: [1, "1e999"] });
  assert.deepEqual(replaceDigits(value, Number), { id: Number("12345678901234567890"), list: [1, Infinity] });
});

test("text that is no JSON is refused", () => {
  assert.throws(() => parseJson("1234567890123456x"), SyntaxError);
});

test("a property may be called what every object has", () => {
  const value: Record<string, string> = {};
  for (const name of ["__proto__", "toString", "constructor"]) {
    assert.equal(getOwn(value, name), undefined);
    setOwn(value, name, "own");
    assert.equal(getOwn(value, name), "own");
  }
  assert.deepEqual(Object.keys(value), ["__proto__", "toString", "constructor"]);
});
