import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RowcallError } from "../../../core/errors.ts";
import type { Problem } from "../../../core/schema.ts";
import { toPageLocators } from "./locators.ts";
import { parseTemplate, previewTemplate, startingPage, templateJsonSchema, type BrowserTemplate } from "./template.ts";

type Json = Readonly<Record<string, unknown>>;

const base = {
  template_id: "t",
  version: "1.0.0",
  status: "active" as const,
  starting_page: "https://example.com/{{path}}",
};

function parse(more: Json): BrowserTemplate {
  return parseTemplate({ ...base, steps: [{ action: "screenshot", file: "a" }], ...more }, "template t");
}

/** Problems as "path: message hint". */
function problemsOf(more: Json): readonly string[] {
  try {
    parse(more);
  } catch (thrown) {
    assert.ok(thrown instanceof RowcallError);
    assert.equal(thrown.code, "TEMPLATE_INVALID");
    return (thrown.details["problems"] as readonly Problem[]).map(({ path, message, hint = "" }) =>
      `${path}: ${message} ${hint}`.trim(),
    );
  }
  return [];
}

describe("parseTemplate", () => {
  it("fills in what may be left out", () => {
    const { abort_on_error, session, dismiss, steps } = parse({
      steps: [
        { action: "goto", url: "/" },
        { action: "extract", fields: { a: { locator: { css: "p" } } } },
      ],
    });
    assert.equal(abort_on_error, true);
    assert.equal(session.timeout_seconds, 10);
    assert.deepEqual(dismiss, []);
    assert.deepEqual(steps[0], { action: "goto", url: "/", wait_until: "domcontentloaded" });
    assert.deepEqual(steps[1], {
      action: "extract",
      fields: { a: { locator: { css: "p" }, type: "string", required: true } },
      tables: {},
      unknown_tables: "ignore",
    });
  });

  it("names every problem at once, with the word that was meant", () => {
    assert.deepEqual(
      problemsOf({
        stepz: [],
        session: { timeout: 3 },
        steps: [
          { action: "clik", locator: { css: "a" } },
          { action: "fill", locator: { lable: "A" }, value: "" },
          { action: "if", condition: { visible: { css: "p" } }, then: [{ action: "fail", mesage: "x" }] },
        ],
      }),
      [
        'session.timeout: unknown key "timeout" Known: viewport, locale, timezone, timeout_seconds.',
        'steps.0.action: "clik" is not a choice Did you mean "click"?',
        'steps.1.locator.lable: unknown key "lable" Did you mean "label"?',
        "steps.1.locator: needs exactly one of role, label, placeholder, text, test_id, css; none of them is there",
        "steps.2.then.0.message: missing, expected string",
        'steps.2.then.0.mesage: unknown key "mesage" Did you mean "message"?',
        'stepz: unknown key "stepz" Did you mean "steps"?',
      ],
    );
  });

  it("finds what does not go together", () => {
    const step = (more: Json): readonly string[] => problemsOf({ steps: [more] });
    assert.match(
      step({ action: "click", locator: { css: "a", text: "b" } }).join(),
      /needs exactly one of .*; text and css are there/,
    );
    assert.match(step({ action: "click", locator: { css: "a", name: "b" } }).join(), /name goes with role only/);
    assert.match(step({ action: "wait_for" }).join(), /needs exactly one of condition, first_of/);
    assert.match(
      step({ action: "expect", condition: { value: "a" } }).join(),
      /"value" needs exactly one of equals, matches/,
    );
    assert.match(step({ action: "expect", condition: { css: "a" } }).join(), /unknown key "css"/);
    assert.match(step({ action: "expect", condition: { url: "(" } }).join(), /"\(" is not a regular expression/);
    assert.match(
      step({ action: "fail", code: "NEEDS_HUMEN", message: "x" }).join(),
      /"NEEDS_HUMEN" is not a choice Did you mean "NEEDS_HUMAN"\?/,
    );
    assert.match(step({ action: "set", fields: { a: { filter: "b" } } }).join(), /"filter" and "where" go together/);
    assert.match(
      step({ action: "extract", fields: { a: { table: "t", row: "r" } } }).join(),
      /"table", "row" and "column" go together/,
    );
    assert.match(
      step({
        action: "extract",
        fields: { a: { table: "coper", row: "r", column: 1 } },
        tables: { copper: {} },
      }).join(),
      /no table "coper" Did you mean "copper"\?/,
    );
    assert.match(
      step({ action: "choose", locator: { css: "select" }, wanted: { street: "x" } }).join(),
      /wanted\.building_number/,
    );
  });

  it("finds names that nothing gives a value to, once variables are declared", () => {
    const steps = [
      { action: "fill", locator: { css: "{{field}}" }, value: "{{postcde}}" },
      { action: "set", fields: { field: { value: "{{#town}}{{/town}}" } } },
    ];
    const variables = { postcode: { required: true }, path: { default: "" } };
    assert.deepEqual(problemsOf({ steps, variables, output: ["feild"] }), [
      'output: no step sets "feild" Did you mean "field"?',
      'steps.0: "{{postcde}}" is neither a declared variable nor set by a step Did you mean "postcode"?',
      'steps.1: "{{town}}" is neither a declared variable nor set by a step Known: field, postcode, path, dialog.',
    ]);
    assert.deepEqual(problemsOf({ steps }), []);
    assert.match(
      problemsOf({ steps: [{ action: "goto", url: "{{#a}}" }] }).join(),
      /steps\.0: .*is not valid Mustache/,
    );
  });
});

describe("startingPage and previewTemplate", () => {
  const template = parse({
    variables: { path: { default: "start" }, postcode: { required: true, format: "uk-postcode" } },
    steps: [
      { action: "extract", fields: { said: { locator: { css: "p" } } } },
      {
        action: "if",
        condition: { value: "said", empty: false },
        then: [{ action: "fill", locator: { label: "Postcode" }, value: "{{postcode}} {{said}}" }],
      },
    ],
  });

  it("fill in the row's values in their usual form, and leave what only the page knows", () => {
    assert.equal(startingPage(template, { postcode: "sw1a1aa" }), "https://example.com/start");
    const preview = previewTemplate(template, { postcode: "sw1a1aa", path: "a&b" }) as {
      starting_page: string;
      steps: [unknown, { then: [{ value: string }] }];
    };
    assert.equal(preview.starting_page, "https://example.com/a&b");
    assert.equal(preview.steps[1].then[0].value, "SW1A 1AA {{said}}");
    assert.throws(() => previewTemplate(template, {}), { code: "TEMPLATE_RENDER" });
  });
});

describe("templateJsonSchema", () => {
  it("knows every step", () => {
    const text = JSON.stringify(templateJsonSchema());
    for (const action of ["goto", "choose", "repeat", "act_with_schema"])
      assert.match(text, new RegExp(`"const":"${action}"`));
  });
});

describe("regular expressions of a template", () => {
  it("are refused wherever one stands that a backtracking engine is needed for", () => {
    const bad = "(a)\\1";
    const steps: readonly Json[] = [
      { action: "wait_for", condition: { url: bad } },
      { action: "wait_for", condition: { title: bad } },
      { action: "wait_for", condition: { visible: { text: bad, match: "regex" } } },
      { action: "wait_for", condition: { visible: { role: "button", name: bad, match: "regex" } } },
      { action: "wait_for", condition: { visible: { css: "p", within: { label: bad, match: "regex" } } } },
      { action: "if", condition: { value: "x", matches: bad }, then: [{ action: "screenshot", file: "a" }] },
      { action: "extract", fields: { a: { page: "text", pattern: bad } } },
      { action: "set", fields: { a: { pattern: bad, in: "{{x}}" } } },
    ];
    for (const step of steps)
      assert.match(
        problemsOf({ steps: [step], variables: { path: {}, x: {} } }).join("\n"),
        /"\(a\)\\\\1" has a backreference, "\\\\1", which is not supported/,
        JSON.stringify(step),
      );
    assert.match(problemsOf({ variables: { path: { pattern: bad } } }).join("\n"), /has a backreference/);
  });

  it("take values of a row as they are, in locators too", () => {
    const [locator] = toPageLocators({ text: "^{{street}}$", match: "regex" }, { street: "(a+)+" });
    assert.equal(locator?.value, String.raw`^\(a\+\)\+$`);
  });
});
