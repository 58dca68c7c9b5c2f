import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parseTemplate, templateJsonSchema } from "../../src/agents/browser/template/template.ts";
import { parseTemplateDocument } from "../../src/core/template.ts";

const page = await readFile(new URL("../../docs/browser-templates.md", import.meta.url), "utf8");
const base = { template_id: "t", version: "1.0.0", starting_page: "https://example.com/" };

test("the page on browser templates describes every step", () => {
  const actions = [...JSON.stringify(templateJsonSchema()).matchAll(/"const":"(\w+)"/g)].map(
    ([, action = ""]) => action,
  );
  const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, heading = ""]) => heading);
  assert.deepEqual(new Set(headings), new Set(actions));
});

test("every template, step and condition on the page on browser templates can be read", () => {
  const blocks = [...page.matchAll(/^```json (\w+)\n(.*?)^```/gms)];
  assert.equal(blocks.length, 4);
  for (const [, kind, json = ""] of blocks) {
    const value: unknown = JSON.parse(json);
    const step = kind === "condition" ? { action: "expect", condition: value } : value;
    parseTemplate(parseTemplateDocument(kind === "template" ? value : { ...base, steps: [step] }, "page"), "page");
  }
});
