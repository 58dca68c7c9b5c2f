import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../../../core/json.ts";
import { decide, toPageCondition, type Condition } from "./conditions.ts";
import { lookUp } from "./rendering.ts";

const scope: JsonObject = {
  town: "Ely",
  none: "",
  speed: 80,
  gone: null,
  rows: [
    { kind: "a", n: [1, 2] },
    { kind: "b", n: [3] },
  ],
};
const page: Condition = { visible: { css: "p" } };

describe("decide", () => {
  it("compares values", () => {
    const yes: readonly Condition[] = [
      { value: "town", equals: "{{town}}" },
      { value: "speed", equals: "80" },
      { value: "town", matches: "^E" },
      { value: "none", empty: true },
      { value: "gone", empty: true },
      { value: "missing", empty: true },
      { value: "speed", at_least: 80 },
      { value: "speed", at_most: 80 },
      { value: "rows.kind", equals: ["a", "b"] },
      { some: "rows", where: { value: "kind", equals: "b" } },
      { not: { some: "rows", where: { value: "kind", equals: "{{town}}" } } },
    ];
    for (const condition of yes) {
      assert.equal(decide(condition, scope), true, JSON.stringify(condition));
      assert.equal(decide({ not: condition }, scope), false, JSON.stringify(condition));
    }
    assert.equal(decide({ value: "town", at_least: 1 }, scope), false);
    assert.equal(decide({ value: "rows", matches: "a" }, scope), false);
  });

  it("leaves to the page only what is still open", () => {
    const known: Condition = { value: "town", equals: "Ely" };
    assert.equal(decide(page, scope), undefined);
    assert.equal(decide({ any: [page, known] }, scope), true);
    assert.equal(decide({ all: [page, { not: known }] }, scope), false);
    assert.equal(decide({ all: [known, known] }, scope), true);
    assert.deepEqual(toPageCondition({ all: [known, page] }, scope), {
      kind: "all",
      of: [toPageCondition(page, scope)],
    });
    assert.equal(toPageCondition({ not: page }, scope).kind, "not");
  });
});

describe("lookUp", () => {
  it("goes on in every item of a list", () => {
    assert.deepEqual(lookUp("rows.n", scope), [[1, 2], [3]]);
    assert.equal(lookUp("town", scope), "Ely");
    assert.equal(lookUp("town.length", scope), undefined);
    assert.equal(lookUp("constructor", scope), undefined);
  });
});
