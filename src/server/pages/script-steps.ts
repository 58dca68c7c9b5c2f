import { html } from "hono/html";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { cellOf, shorten } from "./format.ts";
import type { Html } from "./frame.ts";

// Of these a sentence says too little.
const sayMore: ReadonlySet<string> = new Set(["extract", "set", "expect", "act", "act_with_schema"]);

/** The steps of a browser agent's template, as sentences in nested lists. */
export function scriptSteps(steps: JsonValue | undefined): Html {
  if (!Array.isArray(steps) || steps.length === 0) return html`<p class="soft">None.</p>`;
  return html`<ol class="script">
    ${steps.map((step: JsonValue) => html`<li>${isJsonObject(step) ? scriptStep(step) : cellOf(step)}</li>`)}
  </ol>`;
}

/** A locator in words: `button "Submit"`, the first of several. */
function locatorWords(locator: JsonValue | undefined): string {
  const first: JsonValue | undefined = Array.isArray(locator) ? (locator[0] as JsonValue | undefined) : locator;
  if (!isJsonObject(first)) return cellOf(first);
  const { role, name, label, placeholder, text, test_id: testId, css } = first;
  const words =
    role !== undefined
      ? `${cellOf(role)}${name === undefined ? "" : ` “${cellOf(name)}”`}`
      : label !== undefined
        ? `the field “${cellOf(label)}”`
        : placeholder !== undefined
          ? `the field showing “${cellOf(placeholder)}”`
          : text !== undefined
            ? `“${cellOf(text)}”`
            : testId !== undefined
              ? `the element with test id ${cellOf(testId)}`
              : cellOf(css);
  const others = Array.isArray(locator) ? locator.length - 1 : 0;
  return others > 0 ? `${words} (or ${others} other ${others === 1 ? "way" : "ways"} to find it)` : words;
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

function scriptStep(step: JsonObject): Html {
  const { name, action } = step;
  const title = name === undefined ? "" : html`<strong>${cellOf(name)}</strong>: `;
  switch (cellOf(action)) {
    case "if":
      return html`${title}if ${conditionWords(step["condition"])} ${branch("then", step["then"])}
      ${branch("else", step["else"])}`;
    case "try":
      return html`${title}try ${branch("", step["steps"])} ${branch("when one of them fails", step["catch"])}`;
    case "repeat":
      return html`${title}repeat at most ${cellOf(step["times"])}
      times${step["until"] === undefined ? "" : `, until ${conditionWords(step["until"])}`} ${branch("", step["steps"])}`;
    default:
      return html`${title}${plainWords(step)} ${sayMore.has(cellOf(action)) ? rest(step) : ""}`;
  }
}

function plainWords(step: JsonObject): string {
  const where = locatorWords(step["locator"]);
  const action = cellOf(step["action"]);
  switch (action) {
    case "goto":
      return `go to ${cellOf(step["url"])}`;
    case "fill":
      return `fill ${where} with ${cellOf(step["value"])}`;
    case "click":
      return `click ${where}`;
    case "select":
      return `select “${cellOf(step["option"] ?? step["value"])}” in ${where}`;
    case "check":
      return `${step["checked"] === false ? "untick" : "tick"} ${where}`;
    case "press":
      return `press ${cellOf(step["key"])}${step["locator"] === undefined ? "" : ` in ${where}`}`;
    case "wait_for":
      return `wait for ${isJsonObject(step["first_of"]) ? firstOf(step["first_of"]) : conditionWords(step["condition"])}`;
    case "extract":
    case "set":
      return `${action} ${Object.keys(isJsonObject(step["fields"]) ? step["fields"] : {}).join(", ")}`;
    case "expect":
      return step["condition"] === undefined
        ? "expect the address that was asked for"
        : `expect that ${conditionWords(step["condition"])}`;
    case "screenshot":
      return `take a screenshot`;
    case "choose":
      return `choose the wanted address in ${where}`;
    case "fail":
      return `fail with ${cellOf(step["code"])}: ${cellOf(step["message"])}`;
    default:
      return `${action} ${shorten(cellOf(step["prompt"]), 200)}`;
  }
}

function firstOf(conditions: JsonObject): string {
  return `the first of ${Object.entries(conditions)
    .map(([name, condition]) => `${name} (${conditionWords(condition)})`)
    .join(", ")}`;
}

function branch(words: string, steps: JsonValue | undefined): Html | "" {
  if (!Array.isArray(steps) || steps.length === 0) return "";
  return html`<div class="script-branch">${words}</div>
    ${scriptSteps(steps)}`;
}

function rest(step: JsonObject): Html {
  return html`<details class="small">
    <summary>As written</summary>
    <pre class="json" tabindex="0">${JSON.stringify(step, null, 2)}</pre>
  </details>`;
}
