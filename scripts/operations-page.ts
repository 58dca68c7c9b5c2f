import type { JsonObject } from "../src/core/json.ts";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: string | number | boolean;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

interface ApiDocument {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/**
 * Writes the page of the docs that lists every operation of the API.
 *
 * @param document - an OpenAPI document as `openApiDocument` makes it
 */
export function operationsPage(document: JsonObject): string {
  const { tags, paths } = document as unknown as ApiDocument;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, call: `${method.toUpperCase()} ${path}` })),
  );
  const usual = operations.map(codesOf).reduce((common, codes) => common.filter((code) => codes.includes(code)));
  const sections = tags.flatMap(({ name }) => [
    `## ${name}`,
    ...operations
      .filter((operation) => operation.tags.includes(name))
      .flatMap((operation) => [`### \`${operation.call}\``, ...sectionOf(operation, usual)]),
  ]);
  return `${[...introduction(usual), ...sections].join("\n\n")}\n`;
}

function introduction(usual: readonly string[]): readonly string[] {
  return [
    "# Operations of the API",
    "<!-- Made from the code by: npm run schemas -->",
    `Every operation below \`/api/v1\`, as [openapi.json](../schemas/openapi.json) describes it: that file also has the schema of every answer. How they are called, how pages of a list and errors look: [the API](api.md). Each may fail with ${linksTo(usual)} besides the errors that it lists.`,
  ];
}

function sectionOf(operation: Operation, usual: readonly string[]): readonly string[] {
  const { summary, description, parameters = [], requestBody } = operation;
  const fields = [
    ...parameters
      .filter((parameter) => parameter.in !== "header")
      .map(({ name, in: place, required = false, description: says, schema }) =>
        fieldRow(name, place, required, schema, says),
      ),
    ...Object.values(requestBody?.content ?? {}).flatMap(({ schema: { properties = {}, required = [] } }) =>
      Object.entries(properties).map(([name, schema]) => fieldRow(name, "body", required.includes(name), schema)),
    ),
  ];
  const table = ["| field | in | value | meaning |", "|---|---|---|---|", ...fields].join("\n");
  const own = codesOf(operation).filter((code) => !usual.includes(code));
  return [
    `${summary}.${description === undefined ? "" : ` ${description}`}`,
    ...(fields.length === 0 ? [] : [table]),
    `Answer: ${answersOf(operation)}.${own.length === 0 ? "" : ` Errors: ${linksTo(own)}.`}`,
  ];
}

function fieldRow(
  name: string,
  place: string,
  required: boolean,
  schema: Schema,
  says = schema.description ?? "",
): string {
  const { default: usual } = schema;
  const value = usual === undefined ? kindOf(schema) : `${kindOf(schema)}; \`${usual}\` when it is left out`;
  return `| \`${name}\`${required ? "" : ", optional"} | ${place} | ${value} | ${says.replaceAll("|", "\\|")} |`;
}

function kindOf({ $ref, type, enum: values, pattern, items, prefixItems, minimum, maximum }: Schema): string {
  if ($ref !== undefined) return `\`${nameOf($ref)}\``;
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(", ");
  if (prefixItems !== undefined) return `[${prefixItems.map(kindOf).join(", ")}]`;
  if (type === "array") return `list of ${kindOf(items === false || items === undefined ? {} : items)}`;
  if (type === "string") return pattern === undefined ? "text" : `text like \`${pattern}\``;
  if (type === "boolean") return "`true` or `false`";
  if (type !== "integer" && type !== "number") return "object";
  const number = type === "integer" ? "whole number" : "number";
  if (minimum === undefined) return number;
  const isLimited = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return isLimited ? `${number}, ${minimum} to ${maximum}` : `${number} from ${minimum}`;
}

function answersOf({ responses }: Operation): string {
  return Object.entries(responses)
    .filter(([status]) => status.startsWith("2"))
    .map(([status, { description, content = {} }]) => {
      const { "application/json": json, ...media } = content;
      const types = Object.keys(media).map((type) => `\`${type}\``);
      const what = json === undefined ? `${description} (${types.join(", ")})` : shapeOf(json.schema);
      return `${status}, ${what}`;
    })
    .join("; ");
}

function shapeOf({ $ref, properties = {} }: Schema): string {
  return $ref === undefined ? `\`{ ${Object.keys(properties).join(", ")} }\`` : `\`${nameOf($ref)}\``;
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

function codesOf({ responses }: Operation): readonly string[] {
  return Object.values(responses)
    .filter(({ content = {} }) => "application/problem+json" in content)
    .flatMap(({ description }) => description.split(", "));
}

function linksTo(codes: readonly string[]): string {
  return codes.map((code) => `[${code}](errors.md#${code.toLowerCase()})`).join(", ");
}
