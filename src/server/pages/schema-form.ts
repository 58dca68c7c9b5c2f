import { html } from "hono/html";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { cellOf } from "./format.ts";
import type { Html } from "./frame.ts";
import { option } from "./parts.ts";

/** What the name of a form's field begins with when it is one of the input. */
const fieldPrefix = "input.";

/**
 * Fields of a form from a JSON Schema of an object; fields that only the values have come after its own.
 *
 * @param schema - undefined when the agent takes any input
 */
export function schemaForm(schema: JsonObject | undefined, values: JsonObject): Html {
  const properties = propertiesOf(schema);
  const required = Array.isArray(schema?.["required"]) ? schema["required"] : [];
  const names = [...new Set([...Object.keys(properties), ...Object.keys(values)])];
  if (names.length === 0) {
    return html`<p class="soft">The agent names no fields of its input: write it as JSON.</p>
      <div class="field">
        <label for="input-json">Input as JSON</label>
        <textarea id="input-json" name="json" spellcheck="false">{}</textarea>
      </div>`;
  }
  return html`${names.map((name) => field(name, properties[name], values[name], required.includes(name)))}`;
}

/**
 * The input that a filled form stands for. Values of fields that are not text in the schema are read as JSON where they can be;
 * an empty optional field is absent.
 *
 * @param entries - the form's fields, prefix included
 */
export function readSchemaForm(
  schema: JsonObject | undefined,
  entries: Iterable<readonly [string, string]>,
): JsonObject {
  const properties = propertiesOf(schema);
  const required = Array.isArray(schema?.["required"]) ? schema["required"] : [];
  const input: [string, JsonValue][] = [];
  for (const [key, text] of entries) {
    if (!key.startsWith(fieldPrefix)) continue;
    const name = key.slice(fieldPrefix.length);
    if (text === "" && !required.includes(name)) continue;
    input.push([name, takesText(properties[name]) ? text : parsed(text)]);
  }
  // fromEntries keeps a field named __proto__ a field.
  return Object.fromEntries(input);
}

function propertiesOf(schema: JsonObject | undefined): Readonly<Record<string, JsonObject>> {
  const properties = schema?.["properties"];
  if (!isJsonObject(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, isJsonObject(value) ? value : {}]),
  );
}

function field(name: string, schema: JsonObject = {}, value: JsonValue | undefined, isRequired: boolean): Html {
  const id = `field-${name}`;
  const { description } = schema;
  const label = html`<label for="${id}">${name} ${isRequired ? html`<span class="required">(required)</span>` : ""}</label>`;
  const about =
    typeof description === "string" ? html`<span class="small soft" id="${id}-about">${description}</span>` : "";
  const described = about === "" ? "" : html`aria-describedby="${id}-about"`;
  const control = html`name="${fieldPrefix}${name}" id="${id}" ${described} ${isRequired ? "required" : ""}`;
  return html`<div class="field">${label} ${input(control, schema, value)} ${about}</div>`;
}

function input(control: Html, schema: JsonObject, value: JsonValue | undefined): Html {
  const choices = choicesOf(schema);
  const text = cellOf(value);
  if (choices !== undefined) {
    const known = choices.includes(text) ? choices : [text, ...choices];
    return html`<select ${control}>
      ${known.map((choice) => option(choice, choice, text))}
    </select>`;
  }
  const { type } = schema;
  if (type === "number" || type === "integer")
    return html`<input ${control} type="number" step="${type === "integer" ? "1" : "any"}" value="${text}" />`;
  return html`<input ${control} type="text" value="${text}" autocomplete="off" dir="auto" />`;
}

function choicesOf({ enum: choices, type }: JsonObject): readonly string[] | undefined {
  if (Array.isArray(choices)) return choices.map((choice: JsonValue) => cellOf(choice));
  return type === "boolean" ? ["true", "false"] : undefined;
}

function takesText({ type, enum: choices }: JsonObject = {}): boolean {
  if (Array.isArray(choices)) return choices.every((choice) => typeof choice === "string");
  return type === undefined || type === "string" || (Array.isArray(type) && type.includes("string"));
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}
