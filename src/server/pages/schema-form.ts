import { html } from "hono/html";
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../core/json.ts";
import { cellOf } from "./format.ts";
import { field, option, type Html } from "./parts.ts";

/** One field that a JSON Schema of an object names. */
export interface SchemaField {
  readonly name: string;
  readonly schema: JsonObject;
  readonly description?: string;
  readonly isRequired: boolean;
}

/** The fields that a JSON Schema of an object names; none when it names none, or there is no schema. */
export function schemaFields({ properties, required }: JsonObject = {}): readonly SchemaField[] {
  if (!isJsonObject(properties)) return [];
  return Object.entries(properties).map(([name, value]) => {
    const own = isJsonObject(value) ? value : {};
    return {
      name,
      schema: own,
      description: typeof own["description"] === "string" ? own["description"] : undefined,
      isRequired: Array.isArray(required) && required.includes(name),
    };
  });
}

/** What the name of a form's field begins with when it is one of the input. */
const fieldPrefix = "input.";

/**
 * Fields of a form from a JSON Schema of an object; fields that only the values have come after its own.
 *
 * @param schema - undefined when the agent takes any input
 */
export function schemaForm(schema: JsonObject | undefined, values: JsonObject): Html {
  const fields = schemaFields(schema);
  const named = new Set(fields.map(({ name }) => name));
  const others = Object.keys(values).filter((name) => !named.has(name));
  if (fields.length + others.length === 0) {
    return html`<p class="soft">The agent names no fields of its input: write it as JSON.</p>
      ${field("input-json", "Input as JSON", html`<textarea id="input-json" name="json" spellcheck="false">{}</textarea>`)}`;
  }
  const all = [...fields, ...others.map((name) => ({ name, schema: {}, isRequired: false }))];
  return html`${all.map((one) => inputField(one, cellOf(values[one.name])))}`;
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
  const fields = new Map(schemaFields(schema).map((one) => [one.name, one]));
  const input: [string, JsonValue][] = [];
  for (const [key, text] of entries) {
    if (!key.startsWith(fieldPrefix)) continue;
    const name = key.slice(fieldPrefix.length);
    const known = fields.get(name);
    if (text === "" && known?.isRequired !== true) continue;
    input.push([name, takesText(known?.schema) ? text : parsed(text)]);
  }
  // fromEntries keeps a field named __proto__ a field.
  return Object.fromEntries(input);
}

function inputField({ name, schema, description, isRequired }: SchemaField, text: string): Html {
  const id = `field-${name}`;
  const described = description && html`aria-describedby="${id}-about"`;
  const control = html`name="${fieldPrefix}${name}" id="${id}" ${described} ${isRequired && "required"}`;
  return field(
    id,
    html`${name} ${isRequired && html`<span class="required">(required)</span>`}`,
    input(control, schema, text),
    description !== undefined && html`<span class="small soft" id="${id}-about">${description}</span>`,
  );
}

function input(control: Html, schema: JsonObject, text: string): Html {
  const choices = choicesOf(schema);
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
    return parseJson(text);
  } catch {
    return text;
  }
}
