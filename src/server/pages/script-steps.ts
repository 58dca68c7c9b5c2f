import { html } from "hono/html";
import { isJsonObject, type JsonArray, type JsonObject, type JsonValue } from "../../core/json.ts";
import { cellOf, shorten } from "./format.ts";
import type { Html } from "./parts.ts";

// Of these a sentence says too little.
const sayMore: ReadonlySet<string> = new Set(["extract", "set", "expect", "act", "act_with_schema"]);

/** The steps of a browser agent's template, as sentences in nested lists. */
export function scriptSteps(steps: JsonValue | undefined): Html {
  if (!Array.isArray(steps) || steps.length === 0) return html`<p class="soft">None.</p>`;
  return html`<ol class="script">
    ${steps.map((step: JsonValue) => html`<li>${isJsonObject(step) ? scriptStep(step) : cellOf(step)}</li>`)}
  </ol>`;
}

function scriptStep(step: JsonObject): Html {
  const { name, action, condition, times, until } = step;
  const title = name !== undefined && html`<strong>${cellOf(name)}</strong>: `;
  switch (cellOf(action)) {
    case "if":
      return html`${title}if ${conditionWords(condition)} ${branch("then", step["then"])} ${branch("else", step["else"])}`;
    case "try":
      return html`${title}try ${branch("", step["steps"])} ${branch("when one of them fails", step["catch"])}`;
    case "repeat":
      return html`${title}repeat at most ${cellOf(times)}
      times${until !== undefined && `, until ${conditionWords(until)}`} ${branch("", step["steps"])}`;
    default:
      return html`${title}${plainWords(step)} ${sayMore.has(cellOf(action)) && details(step)}`;
  }
}

function branch(words: string, steps: JsonValue | undefined): Html | undefined {
  if (!Array.isArray(steps) || steps.length === 0) return undefined;
  return html`<div class="script-branch">${words}</div>
    ${scriptSteps(steps)}`;
}

function details(step: JsonObject): Html {
  return html`<details class="small">
    <summary>As written</summary>
    <pre class="json" tabindex="0">${JSON.stringify(step, null, 2)}</pre>
  </details>`;
}

/** What steps that do something by themselves do, by action. */
const actions: Readonly<Record<string, (step: JsonObject, where: string) => string>> = {
  goto: ({ url }) => `go to ${cellOf(url)}`,
  fill: ({ value }, where) => `fill ${where} with ${cellOf(value)}`,
  click: (_, where) => `click ${where}`,
  select: ({ option, value }, where) => `select “${cellOf(option ?? value)}” in ${where}`,
  check: ({ checked }, where) => `${checked === false ? "untick" : "tick"} ${where}`,
  press: ({ key, locator }, where) => `press ${cellOf(key)}${locator === undefined ? "" : ` in ${where}`}`,
  wait_for: ({ first_of: first, condition }) =>
    `wait for ${isJsonObject(first) ? firstOf(first) : conditionWords(condition)}`,
  extract: ({ fields }) => `extract ${namesOf(fields)}`,
  set: ({ fields }) => `set ${namesOf(fields)}`,
  expect: ({ condition }) =>
    condition === undefined ? "expect the address that was asked for" : `expect that ${conditionWords(condition)}`,
  screenshot: () => "take a screenshot",
  choose: (_, where) => `choose the wanted address in ${where}`,
  fail: ({ code, message }) => `fail with ${cellOf(code)}: ${cellOf(message)}`,
};

function plainWords(step: JsonObject): string {
  const action = cellOf(step["action"]);
  const words = Object.hasOwn(actions, action) ? actions[action] : undefined;
  return words?.(step, locatorWords(step["locator"])) ?? `${action} ${shorten(cellOf(step["prompt"]), 200)}`;
}

function namesOf(fields: JsonValue | undefined): string {
  return isJsonObject(fields) ? Object.keys(fields).join(", ") : "";
}

function firstOf(conditions: JsonObject): string {
  const named = Object.entries(conditions).map(([name, condition]) => `${name} (${conditionWords(condition)})`);
  return `the first of ${named.join(", ")}`;
}

/** A locator in words: `button "Submit"`, the first of several. */
function locatorWords(locator: JsonValue | undefined): string {
  const all: JsonArray = Array.isArray(locator) ? locator : [locator ?? null];
  const [first] = all;
  const words = isJsonObject(first) ? oneLocator(first) : cellOf(first);
  const others = all.length - 1;
  return others > 0 ? `${words} (or ${others} other ${others === 1 ? "way" : "ways"} to find it)` : words;
}

function oneLocator({ role, name, label, placeholder, text, test_id: testId, css }: JsonObject): string {
  if (role !== undefined) return `${cellOf(role)}${name === undefined ? "" : ` “${cellOf(name)}”`}`;
  if (label !== undefined) return `the field “${cellOf(label)}”`;
  if (placeholder !== undefined) return `the field showing “${cellOf(placeholder)}”`;
  if (text !== undefined) return `“${cellOf(text)}”`;
  return testId === undefined ? cellOf(css) : `the element with test id ${cellOf(testId)}`;
}

/** A condition in words. */
function conditionWords(condition: JsonValue | undefined): string {
  if (!isJsonObject(condition)) return cellOf(condition);
  const { value, visible, hidden, url, text, all, any, not } = condition;
  if (value !== undefined) return valueWords(cellOf(value), condition);
  if (visible !== undefined) return `${locatorWords(visible)} is there`;
  if (hidden !== undefined) return `${locatorWords(hidden)} is not there`;
  if (url !== undefined) return `the address contains “${cellOf(url)}”`;
  if (text !== undefined) return `the page says “${cellOf(text)}”`;
  if (Array.isArray(all)) return all.map((one: JsonValue) => conditionWords(one)).join(" and ");
  if (Array.isArray(any)) return any.map((one: JsonValue) => conditionWords(one)).join(" or ");
  if (not !== undefined) return `not: ${conditionWords(not)}`;
  return JSON.stringify(condition);
}

function valueWords(name: string, { equals, matches, one_of: oneOf, ...rest }: JsonObject): string {
  if (equals !== undefined) return `${name} is “${cellOf(equals)}”`;
  if (matches !== undefined) return `${name} matches ${cellOf(matches)}`;
  if (Array.isArray(oneOf)) return `${name} is one of ${oneOf.map((one: JsonValue) => cellOf(one)).join(", ")}`;
  return JSON.stringify({ ...rest, value: name });
}
