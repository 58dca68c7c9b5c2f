import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { RowcallError } from "../src/core/errors.ts";
import { contextOptions, readSettings } from "./settings.ts";
import { everyOption } from "./testing/variants.ts";

function read(context: Readonly<Record<string, unknown>>): ReturnType<typeof readSettings> {
  return readSettings((name) => context[name]);
}

test("without a context there is a stage prod with workers, which keeps its data", () => {
  const { stage, browser, retain, agentMachines } = read({});
  assert.deepEqual([stage, browser, retain, agentMachines], ["prod", "activity", true, []]);
});

test("options are read from texts, as the command line gives them, and from JSON, as cdk.json has them", () => {
  assert.equal(read({ retain: "false", runsExpiryDays: "60" }).runsExpiryDays, 60);
  assert.equal(read({ retain: false, runsExpiryDays: 60 }).retain, false);
  assert.deepEqual(read({ agentMachines: "one,two-*" }).agentMachines, ["one", "two-*"]);
});

for (const [name, value] of [
  ["stage", "Prod"],
  ["stage", "a-name-that-is-too-long"],
  ["browser", "fargate"],
  ["encryption", "none"],
  ["retain", "yes"],
  ["runsExpiryDays", "14"],
  ["logRetentionDays", "31"],
  ["functionMemoryMb", "20000"],
  ["workerWaitSeconds", "soon"],
  ["agentMachines", "arn:aws:states:eu-west-1:123456789012:stateMachine:lookup"],
  ["buckets", "s3://tables"],
] as const) {
  test(`${name} cannot be "${value}", and the error says what can be`, () => {
    assert.throws(
      () => read({ [name]: value }),
      (error: unknown) => {
        assert.ok(error instanceof RowcallError && error.code === "USAGE_INVALID");
        assert.ok(error.message.includes(name) && error.message.includes(value));
        assert.ok(error.hint?.includes(`-c ${name}=`));
        return true;
      },
    );
  });
}

test("docs/deploy.md has every context option with its values and default, and no other", async () => {
  const page = await readFile(new URL("../docs/deploy.md", import.meta.url), "utf8");
  const [, table = ""] = /^\| option \|.*\n\|[-|]+\|\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const rows = table
    .trim()
    .split("\n")
    .map((line) => line.split(" | ").slice(0, 3).join(" | "));
  const expected = Object.entries(contextOptions).map(
    ([name, { values, defaultText }]) =>
      `| \`${name}\` | ${values} | ${defaultText === "" ? "none" : `\`${defaultText}\``}`,
  );
  assert.deepEqual(rows, expected);
});

test("the variant that the other tests use differs from the defaults in every option", () => {
  const usual = read({});
  const other = read(everyOption);
  for (const name of Object.keys(contextOptions) as (keyof typeof usual)[])
    assert.notDeepEqual(other[name], usual[name], name);
});
