import { z } from "zod";
import { RowcallError, messageOf } from "../../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { maskText } from "../../../core/mask.ts";
import { renderText, variablesOf } from "../../../core/render.ts";
import { invalid, parseWith, suggest, type Problem } from "../../../core/schema.ts";
import { publicationStatus, semanticVersion, type TemplateDocument } from "../../../core/template.ts";
import { viewportSchema } from "../browser-config.ts";
import { locatorsSchema } from "./locators.ts";
import { render } from "./rendering.ts";
import { placeProblems, secretProblems, secretsOf } from "./secret-uses.ts";
import { innerSteps, namesSetBy, stepSchema, walkSteps, type Step } from "./steps.ts";
import { readVariables, variableSchema } from "./variables.ts";

const sessionSchema = z.strictObject({
  viewport: viewportSchema.optional(),
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
  version: semanticVersion,
  status: publicationStatus.default("active"),
  name: z.string().optional(),
  description: z.string().optional(),
  starting_page: z.string().min(1).describe("Address of the page that the script starts on; variables allowed"),
  abort_on_error: z.boolean().default(true).describe("Whether the first step that fails ends the script"),
  session: sessionSchema.default({ timeout_seconds: 10 }),
  /** Absent: whatever the row brings. */
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

/** The look of an attempt's page to a site, and the patience of its steps. */
export type SessionSettings = z.infer<typeof sessionSchema>;

/** A browser agent's script. */
export type BrowserTemplate = z.infer<typeof templateSchema>;

/**
 * Reads a browser agent's template. Everything that can be wrong with it without a page is found here.
 *
 * @param what - what it is, for messages: `template broadband@1.0.0`
 * @throws RowcallError TEMPLATE_INVALID with every problem in `details.problems`
 */
export function parseTemplate(document: TemplateDocument, what: string): BrowserTemplate {
  const template = parseWith(templateSchema, document, "TEMPLATE_INVALID", what);
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
  return [...walkSteps(steps)].flatMap(([, step]) => namesSetBy(step));
}

/** Names that are used, but that nothing gives a value to: found here rather than in the middle of a row. */
function nameProblems(template: BrowserTemplate): readonly Problem[] {
  const { variables, steps, output = [], starting_page, dismiss } = template;
  const produced = producedBy(steps);
  const problems: Problem[] = output
    .filter((name) => !produced.includes(name))
    .map((name) => ({ path: "output", message: `no step sets "${name}"`, hint: suggest(name, produced) }));
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
        const message = `"{{${name}}}" is neither a declared variable nor set by a step`;
        problems.push({ path, message, hint: suggest(name, known) });
      }
    } catch (thrown) {
      problems.push({ path, message: messageOf(thrown) });
    }
  };
  check("starting_page", starting_page);
  check("dismiss", dismiss);
  steps.forEach((step, i) => check(`steps.${i}`, step));
  const elsewhere = Object.entries({ starting_page, dismiss, variables }).flatMap(([path, value]) =>
    placeProblems(path, value),
  );
  return [...problems, ...tableProblems(steps), ...elsewhere, ...secretProblems(steps)];
}

function tableProblems(steps: readonly Step[]): readonly Problem[] {
  return [...walkSteps(steps)].flatMap(([at, step]) => {
    if (step.action !== "extract") return [];
    const known = Object.keys(step.tables);
    return Object.entries(step.fields).flatMap(([name, { table, rows }]) => {
      const used = [...(table === undefined ? [] : [table]), ...Object.keys(rows ?? {})];
      return used
        .filter((own) => !known.includes(own))
        .map((own) => ({
          path: `${at}.fields.${name}`,
          message: `the step describes no table "${own}"`,
          hint: suggest(own, known),
        }));
    });
  });
}
