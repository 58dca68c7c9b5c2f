import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "csv-parse/sync";
import { isErrorCode } from "../../../src/core/errors.ts";
import { parseBatch } from "../../../src/core/batch-file.ts";
import { exchangeCodeOf, linesOf, siteData } from "./data.ts";
import { expectedFields } from "./expected-fields.ts";

const folder = new URL("../", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");

test("there are at least 60 homes in at least 12 postcodes", () => {
  assert.ok(siteData.premises.length >= 60);
  assert.ok(new Set(siteData.premises.map((home) => home.postcode)).size >= 12);
});

test("every home has its own reference and UPRN, and an exchange and lines that exist", () => {
  assert.equal(new Set(siteData.premises.map((home) => home.ref)).size, siteData.premises.length);
  assert.equal(new Set(siteData.premises.map((home) => home.uprn)).size, siteData.premises.length);
  for (const home of siteData.premises) {
    assert.match(home.ref, /^A\d{11}$/);
    assert.match(home.uprn, /^\d{12}$/);
    assert.ok(exchangeCodeOf(home).startsWith(home.district ?? ""));
    assert.ok(linesOf(home));
  }
});

test("every postcode with a behaviour of its own is asked for by an expectation", () => {
  const asked = new Set(siteData.expectations.map(({ input }) => input.postcode));
  assert.deepEqual(
    Object.keys(siteData.postcodes).filter((postcode) => !asked.has(postcode)),
    [],
  );
});

test("every scenario is told once", () => {
  const scenarios = siteData.expectations.map(({ scenario }) => scenario);
  assert.equal(new Set(scenarios).size, scenarios.length);
});

for (const { scenario, premises, expected } of siteData.expectations) {
  test(`expectation: ${scenario}`, () => {
    if (expected.status === "FAILED") {
      assert.ok(isErrorCode(expected.code), expected.code);
      assert.ok(new RegExp(expected.message, "i"));
      return;
    }
    const home = siteData.premises.find(({ ref }) => ref === premises);
    assert.ok(home);
    assert.deepEqual(expected.fields, expectedFields(home));
  });
}

test("addresses.csv holds the inputs of the expectations, in their order", () => {
  const rows: unknown = parse(read("addresses.csv"), { columns: true });
  assert.deepEqual(
    rows,
    siteData.expectations.map(({ input }) => input),
  );
});

test("the README tells every scenario, in their order", () => {
  const readme = read("README.md");
  const told = siteData.expectations.map(({ scenario }) => readme.indexOf(`| ${scenario} `));
  assert.ok(
    told.every((place, i) => place > (told[i - 1] ?? 0)),
    JSON.stringify(told),
  );
});

test("both batch files are valid and map the same columns to the same fields", () => {
  const demo = parseBatch(JSON.parse(read("batch.json")), "batch file batch.json");
  const seed = parseBatch(JSON.parse(read("broadband_batch_config.json")), "batch file broadband_batch_config.json");
  assert.deepEqual(demo.inputMapping, seed.inputMapping);
  assert.deepEqual(demo.outputMapping, seed.outputMapping);
});
