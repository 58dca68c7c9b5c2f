import { z } from "zod";
import { RowcallError, messageOf } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { maskText } from "../../core/mask.ts";
import { renderText, variablesOf } from "../../core/render.ts";
import { invalid, parseWith, suggest, type Problem } from "../../core/schema.ts";
import type { PublicationStatus, TemplateDocument } from "../../core/template.ts";
import { locatorsSchema, type Locators } from "./locators.ts";
import { render } from "./rendering.ts";
import { placeProblems, secretProblems, secretsOf } from "./secret-uses.ts";
import { innerSteps, namesSetBy, stepSchema, type Step } from "./steps.ts";
import { readVariables, variableSchema, type VariableDeclaration } from "./variables.ts";

/** What the page of an attempt looks like to a site, and how patient its steps are. */
export interface SessionSettings {
  /** CSS pixels. */
  readonly viewport?: { readonly width: number; readonly height: number } | undefined;
  /** Such as `en-GB`. */
  readonly locale?: string | undefined;
  /** Such as `Europe/London`. */
  readonly timezone?: string | undefined;
  /** How long the page may take until a step can be done. @default 10 */
  readonly timeout_seconds: number;
}

/** A browser agent's script. */
export interface BrowserTemplate {
  readonly $schema?: string | undefined;
  readonly template_id: string;
  readonly version: string;
  readonly status: PublicationStatus;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly starting_page: string;
  /** Whether the first step that fails ends the script. @default true */
  readonly abort_on_error: boolean;
  readonly session: SessionSettings;
  /** Absent: whatever the row brings. */
  readonly variables?: Readonly<Record<string, VariableDeclaration>> | undefined;
  /** Buttons that close what covers the page, such as a cookie banner; clicked when it is in the way of a click. */
  readonly dismiss: readonly Locators[];
  readonly steps: readonly Step[];
  /** The names that make up the structured output; absent: everything extracted and set. */
  readonly output?: readonly string[] | undefined;
}

const viewport = z.strictObject({ width: z.int().min(100).max(4096), height: z.int().min(100).max(4096) });

const sessionSchema = z.strictObject({
  viewport: viewport.optional(),
  locale: z.string().optional().describe("Such as en-GB"),
  timezone: z.string().optional().describe("Such as Europe/London"),
  timeout_seconds: z
    .number()
    .positive()
    .max(600)
    .default(10)
    .describe("How long the page may take until a step can be done"),
});

const templateSchema = z.strictObject({
  $schema: z.string().optional(),
  template_id: z.string().min(1),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be a semantic version such as "1.0.0"'),
  status: z.enum(["active", "draft", "deprecated", "archived"]).default("active"),
  name: z.string().optional(),
  description: z.string().optional(),
  starting_page: z.string().min(1).describe("Address of the page that the script starts on; variables allowed"),
  abort_on_error: z.boolean().default(true).describe("Whether the first step that fails ends the script"),
  session: sessionSchema.default({ timeout_seconds: 10 }),
  variables: z.record(z.string(), variableSchema).optional(),
  dismiss: z
    .array(locatorsSchema)
    .default([])
    .describe("Buttons that close what covers the page; clicked when it is in the way of a click"),
  steps: z.array(stepSchema).min(1),
  output: z
    .array(z.string().min(1))
    .optional()
    .describe("Names that make up the structured output; absent: everything extracted and set"),
});

/**
 * Reads a browser agent's template. Everything that can be wrong with it without a page is found here.
 *
 * @param what - what it is, for messages: `template broadband@1.0.0`
 * @throws RowcallError TEMPLATE_INVALID with every problem in `details.problems`
 */
export function parseTemplate(document: TemplateDocument, what: string): BrowserTemplate {
  const template: BrowserTemplate = parseWith(templateSchema, document, "TEMPLATE_INVALID", what);
  const problems = nameProblems(template);
  if (problems.length > 0) throw invalid("TEMPLATE_INVALID", what, problems);
  return template;
}

/** The template's JSON Schema, as published for editors. */
export function templateJsonSchema(): JsonObject {
  return z.toJSONSchema(templateSchema, { io: "input", unrepresentable: "any" }) as JsonObject;
}

/**
 * The address that a row's script starts on.
 *
 * @throws RowcallError TEMPLATE_RENDER, ROW_INVALID
 */
export function startingPage(template: BrowserTemplate, variables: JsonObject): string {
  return renderText(template.starting_page, readVariables(template.variables, variables));
}

/**
 * The script with a row's values filled in, for display. What only the page knows is left as it stands in the template.
 *
 * @throws RowcallError TEMPLATE_RENDER, ROW_INVALID
 */
export function previewTemplate(template: BrowserTemplate, variables: JsonObject): JsonValue {
  const scope = readVariables(template.variables, variables);
  const later = Object.fromEntries(producedBy(template.steps).map((name) => [name, `{{${name}}}`]));
  const secret = Object.fromEntries(secretsOf(template.steps).map((name) => [name, maskText]));
  const shown = { dialog: "{{dialog}}", ...later, ...scope, ...(Object.keys(secret).length === 0 ? {} : { secret }) };
  return {
    starting_page: renderText(template.starting_page, scope),
    steps: template.steps.map((step) => renderWhereKnown(step, shown)),
  };
}

function renderWhereKnown(step: Step, scope: JsonObject): JsonValue {
  try {
    return render(step, scope) as unknown as JsonValue;
  } catch (thrown) {
    // A step that may be left out may use what is not there.
    if (thrown instanceof RowcallError && innerSteps(step).length > 0) return step as unknown as JsonValue;
    throw thrown;
  }
}

function producedBy(steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) => [...namesSetBy(step), ...producedBy(innerSteps(step))]);
}

/** Names that are used, but that nothing gives a value to: found here rather than in the middle of a row. */
function nameProblems(template: BrowserTemplate): readonly Problem[] {
  const { variables, steps, output = [], starting_page, dismiss } = template;
  const produced = producedBy(steps);
  const strangers = output.filter((name) => !produced.includes(name));
  const problems: Problem[] = strangers.map((name) => ({
    path: "output",
    message: `no step sets "${name}"`,
    hint: suggest(name, produced),
  }));
  const known = new Set([...produced, ...Object.keys(variables ?? {}), "dialog"]);
  const check = (path: string, value: unknown): void => {
    try {
      const unknown = [...variablesOf(value as JsonValue)]
        .filter((name) => !name.startsWith("secret."))
        .map((name) => name.split(".")[0] ?? name)
        .filter((name) => !known.has(name));
      // Without declarations anything may be a column.
      if (variables === undefined) return;
      for (const name of new Set(unknown)) {
        problems.push({
          path,
          message: `"{{${name}}}" is neither a declared variable nor set by a step`,
          hint: suggest(name, known),
        });
      }
    } catch (thrown) {
      problems.push({ path, message: messageOf(thrown) });
    }
  };
  check("starting_page", starting_page);
  check("dismiss", dismiss);
  steps.forEach((step, i) => check(`steps.${i}`, step));
  checkTables(steps, "steps", problems);
  const elsewhere = Object.entries({ starting_page, dismiss, variables }).flatMap(([path, value]) =>
    placeProblems(path, value),
  );
  return [...problems, ...elsewhere, ...secretProblems(steps)];
}

function checkTables(steps: readonly Step[], path: string, problems: Problem[]): void {
  steps.forEach((step, i) => {
    if (step.action === "extract") {
      const known = Object.keys(step.tables);
      for (const [name, { table, rows }] of Object.entries(step.fields)) {
        const used = [...(table === undefined ? [] : [table]), ...Object.keys(rows ?? {})];
        for (const own of used.filter((own) => !known.includes(own))) {
          problems.push({
            path: `${path}.${i}.fields.${name}`,
            message: `the step describes no table "${own}"`,
            hint: suggest(own, known),
          });
        }
      }
    }
    checkTables(innerSteps(step), `${path}.${i}`, problems);
  });
}
