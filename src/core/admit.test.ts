import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { unstorableValues } from "../../test/fixtures/unstorable.ts";
import { aContext } from "../../test/contracts/invoker-contract.ts";
import { admit } from "./admit.ts";
import { RowcallError } from "./errors.ts";
import { parseJson } from "./json.ts";

const admitted = (given: unknown): unknown => admit(given, "it").value;

test("JSON comes out as it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (any) => {
      const text = JSON.stringify(any);
      assert.equal(JSON.stringify(admitted(JSON.parse(text))), text);
    }),
  );
});

test("it is a copy, whatever happens to the agent's own object later", () => {
  const given = { list: [{ a: 1 }], date: new Date(0) };
  const value = admitted(given);
  given.list[0] = { a: 2 };
  given.list.push({ a: 3 });
  given.date.setTime(1);
  assert.deepEqual(value, { list: [{ a: 1 }], date: "1970-01-01T00:00:00.000Z" });
});

describe("what JSON says of a value is what is stored", () => {
  class Price {
    readonly pence = 120;
    toString(): string {
      return "£1.20";
    }
  }
  for (const [name, given, value] of [
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["an address", new URL("http://a.example/b"), "http://a.example/b"],
    ["what toJSON says", { secret: 1, toJSON: () => ({ a: [1] }) }, { a: [1] }],
    ["an instance with data of its own", { price: new Price() }, { price: { pence: 120 } }],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
    ["an object of another realm", runInNewContext("({ a: {}, b: [1] })"), { a: {}, b: [1] }],
    ["a property that is undefined", { a: undefined, b: 1 }, { b: 1 }],
    ["minus zero", [-0], [0]],
    ["half an emoji", "\ud83d", "\ud83d"],
  ] as const) {
    it(name, () => assert.deepEqual(admitted(given), value));
  }

  it("a property named __proto__, which changes no prototype", () => {
    const value = admitted(JSON.parse('{"__proto__":{"polluted":1}}'));
    assert.equal(JSON.stringify(value), '{"__proto__":{"polluted":1}}');
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });

  it("the digits of a number that JavaScript cannot hold", () => {
    const { value, hasDigits } = admit(parseJson('{"id":12345678901234567890}'), "it");
    assert.equal(JSON.stringify(value), '{"id":12345678901234567890}');
    assert.equal(hasDigits, true);
    assert.equal(admit({ id: 1 }, "it").hasDigits, false);
  });
});

describe("what JSON cannot say is refused by name", () => {
  const context = aContext();
  for (const { name, make, code = "OUTPUT_INVALID", message } of unstorableValues) {
    // Steps and exceptions are the attempt's to refuse.
    if (code === "AGENT_FAILED" || name.startsWith("a step")) continue;
    it(name, () => {
      const given = { field: make(context) };
      assert.throws(
        () => admit(given, "structured_output"),
        (error) => error instanceof RowcallError && error.code === code && message.test(error.message),
      );
    });
  }
});

test("200 levels are stored, 201 are not", () => {
  const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  assert.deepEqual(admitted(nested(200)), nested(200));
  assert.throws(() => admitted(nested(201)), { message: /^it(\[0\]){200} is nested deeper than 200 levels$/ });
});
