import { z } from "zod";
import { errorTable, type ErrorCode } from "../../../core/errors.ts";
import { conditionSchema } from "./conditions.ts";
import { fieldSchema } from "./extract-fields.ts";
import { locatorsSchema } from "./locators.ts";
import { exactlyOne } from "./patterns.ts";
import { expressionSchema } from "./set-fields.ts";
import { tableSchema } from "./table-shape.ts";

const common = {
  name: z.string().min(1).optional().describe("What the step does, in words"),
  timeout_seconds: z
    .number()
    .positive()
    .max(600)
    .optional()
    .describe("How long the page may take until the step can be done"),
};

const addressSchema = z.strictObject({
  building_number: z.string().describe("Number, range or name: 45A, 34-40, Flat 7, The Old Forge"),
  street: z.string(),
  postcode: z.string().optional(),
  full_address: z.string().optional().describe("Settles what number and street leave open"),
});

/** An address that is asked for. */
export type AddressWords = z.infer<typeof addressSchema>;

const rowCodes = (Object.keys(errorTable) as ErrorCode[]).filter((code) =>
  ["row", "transient"].includes(errorTable[code]),
);
const rowCode = z.enum(rowCodes as [ErrorCode, ...ErrorCode[]]);

const fieldName = z.string().regex(/^(?!__proto__$)[A-Za-z_]\w*$/, "must be letters, digits and underscores");
const act = { ...common, prompt: z.string().min(1), schema: z.json().optional() };

/** Steps that do something by themselves. What a new one does is said in `perform-step.ts`, what it is called in `step-words.ts`. */
const plainForms = [
  z.strictObject({
    ...common,
    action: z.literal("goto"),
    url: z.string().min(1),
    wait_until: z.enum(["commit", "domcontentloaded", "load", "networkidle"]).default("domcontentloaded"),
  }),
  z.strictObject({ ...common, action: z.literal("fill"), locator: locatorsSchema, value: z.string() }),
  z.strictObject({ ...common, action: z.literal("click"), locator: locatorsSchema }),
  z
    .strictObject({
      ...common,
      action: z.literal("select"),
      locator: locatorsSchema,
      option: z.string().optional().describe("What the list shows"),
      value: z.string().optional(),
    })
    .check(exactlyOne(["option", "value"])),
  z.strictObject({
    ...common,
    action: z.literal("check"),
    locator: locatorsSchema,
    checked: z.boolean().default(true),
  }),
  z.strictObject({
    ...common,
    action: z.literal("press"),
    key: z.string().min(1).describe("Such as Enter or Control+A"),
    locator: locatorsSchema.optional(),
  }),
  z
    .strictObject({
      ...common,
      action: z.literal("wait_for"),
      condition: conditionSchema.optional(),
      first_of: z
        .record(z.string(), conditionSchema)
        .optional()
        .describe("By name; the name of the first that holds becomes the variable `as`"),
      as: fieldName.optional(),
    })
    .check(exactlyOne(["condition", "first_of"])),
  z.strictObject({
    ...common,
    action: z.literal("extract"),
    fields: z.record(fieldName, fieldSchema),
    tables: z.record(z.string(), tableSchema).default({}),
    unknown_tables: z
      .enum(["fail", "ignore"])
      .default("ignore")
      .describe("What a visible table means that none of `tables` describes"),
  }),
  z.strictObject({ ...common, action: z.literal("set"), fields: z.record(fieldName, expressionSchema) }),
  z
    .strictObject({
      ...common,
      action: z.literal("expect"),
      condition: conditionSchema.optional(),
      address: z
        .strictObject({ shown: z.string(), wanted: addressSchema })
        .optional()
        .describe("The page shows the address that was asked for"),
      message: z.string().optional(),
    })
    .check(exactlyOne(["condition", "address"])),
  z.strictObject({
    ...common,
    action: z.literal("screenshot"),
    file: z.string().regex(/^[\w-]+$/, "must be letters, digits, - and _"),
  }),
  z.strictObject({
    ...common,
    action: z.literal("choose"),
    locator: locatorsSchema,
    wanted: addressSchema,
    as: fieldName.optional(),
  }),
  z.strictObject({
    ...common,
    action: z.literal("fail"),
    code: rowCode.default("PAGE_UNEXPECTED"),
    message: z.string().min(1),
    hint: z.string().optional(),
  }),
  z.strictObject({ ...act, action: z.literal("act") }),
  z.strictObject({ ...act, action: z.literal("act_with_schema") }),
] as const;

/** A step that does something by itself. */
export type PlainStep = z.infer<(typeof plainForms)[number]>;

const ifForm = z.strictObject({ ...common, action: z.literal("if"), condition: conditionSchema });
const tryForm = z.strictObject({ ...common, action: z.literal("try"), as: fieldName.default("error") });
const repeatForm = z.strictObject({
  ...common,
  action: z.literal("repeat"),
  times: z.int().positive().max(1000),
  until: conditionSchema.optional(),
  delay_seconds: z.number().nonnegative().default(0),
});

/** A step that holds others; `run-template.ts` does it. */
export type ControlStep =
  | (z.infer<typeof ifForm> & { readonly then: readonly Step[]; readonly else: readonly Step[] })
  | (z.infer<typeof tryForm> & { readonly steps: readonly Step[]; readonly catch: readonly Step[] })
  | (z.infer<typeof repeatForm> & { readonly steps: readonly Step[] });

/** One step of a template. */
export type Step = PlainStep | ControlStep;

const steps: z.ZodType<readonly Step[]> = z.lazy(() => z.array(stepSchema));

/** A step. */
export const stepSchema: z.ZodType<Step> = z.discriminatedUnion("action", [
  ...plainForms,
  ifForm.extend({ then: steps, else: steps.default([]) }),
  tryForm.extend({ steps, catch: steps.default([]) }),
  repeatForm.extend({ steps }),
]);

/** The steps inside a step. */
export function innerSteps(step: Step): readonly Step[] {
  if (step.action === "if") return [...step.then, ...step.else];
  if (step.action === "try") return [...step.steps, ...step.catch];
  return step.action === "repeat" ? step.steps : [];
}

/** Every step with its path, those inside of others too. */
export function* walkSteps(steps: readonly Step[], path = "steps"): Generator<readonly [path: string, step: Step]> {
  for (const [i, step] of steps.entries()) {
    yield [`${path}.${i}`, step];
    yield* walkSteps(innerSteps(step), `${path}.${i}`);
  }
}

/** The names that a step itself gives values to. */
export function namesSetBy(step: Step): readonly string[] {
  if ("fields" in step) return Object.keys(step.fields);
  return "as" in step && step.as !== undefined ? [step.as] : [];
}
