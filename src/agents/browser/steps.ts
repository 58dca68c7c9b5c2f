import { z } from "zod";
import { errorTable, type ErrorCode } from "../../core/errors.ts";
import { conditionSchema, type Condition } from "./conditions.ts";
import { fieldSchema, tableSchema, type Field, type TableShape } from "./extract-fields.ts";
import { locatorsSchema, type Locators } from "./locators.ts";
import { exactlyOne } from "./patterns.ts";
import { expressionSchema, type Expression } from "./set-fields.ts";

interface Common {
  /** What the step does, in words; shown in place of a description made from its settings. */
  readonly name?: string | undefined;
  /** How long the page may take until the step can be done. @default session.timeout_seconds */
  readonly timeout_seconds?: number | undefined;
}

/** An address that is asked for. */
export interface AddressWords {
  /** Number, range or name: `45A`, `34-40`, `Flat 7`, `The Old Forge`. */
  readonly building_number: string;
  readonly street: string;
  readonly postcode?: string | undefined;
  /** Settles what number and street leave open. */
  readonly full_address?: string | undefined;
}

/** One step of a template. */
export type Step =
  | (Common & {
      readonly action: "goto";
      readonly url: string;
      readonly wait_until: "commit" | "domcontentloaded" | "load" | "networkidle";
    })
  | (Common & { readonly action: "fill"; readonly locator: Locators; readonly value: string })
  | (Common & { readonly action: "click"; readonly locator: Locators })
  | (Common & {
      readonly action: "select";
      readonly locator: Locators;
      readonly option?: string | undefined;
      readonly value?: string | undefined;
    })
  | (Common & { readonly action: "check"; readonly locator: Locators; readonly checked: boolean })
  | (Common & { readonly action: "press"; readonly key: string; readonly locator?: Locators | undefined })
  | (Common & {
      readonly action: "wait_for";
      readonly condition?: Condition | undefined;
      readonly first_of?: Readonly<Record<string, Condition>> | undefined;
      readonly as?: string | undefined;
    })
  | (Common & {
      readonly action: "extract";
      readonly fields: Readonly<Record<string, Field>>;
      readonly tables: Readonly<Record<string, TableShape>>;
      readonly unknown_tables: "fail" | "ignore";
    })
  | (Common & { readonly action: "set"; readonly fields: Readonly<Record<string, Expression>> })
  | (Common & {
      readonly action: "expect";
      readonly condition?: Condition | undefined;
      readonly address?: { readonly shown: string; readonly wanted: AddressWords } | undefined;
      readonly message?: string | undefined;
    })
  | (Common & { readonly action: "screenshot"; readonly file: string })
  | (Common & {
      readonly action: "choose";
      readonly locator: Locators;
      readonly wanted: AddressWords;
      readonly as?: string | undefined;
    })
  | (Common & {
      readonly action: "if";
      readonly condition: Condition;
      readonly then: readonly Step[];
      readonly else: readonly Step[];
    })
  | (Common & {
      readonly action: "try";
      readonly steps: readonly Step[];
      readonly catch: readonly Step[];
      readonly as: string;
    })
  | (Common & {
      readonly action: "repeat";
      readonly steps: readonly Step[];
      readonly times: number;
      readonly until?: Condition | undefined;
      readonly delay_seconds: number;
    })
  | (Common & {
      readonly action: "fail";
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint?: string | undefined;
    })
  | (Common & { readonly action: "act" | "act_with_schema"; readonly prompt: string; readonly schema?: unknown });

/** A step that does something by itself. */
export type PlainStep = Exclude<Step, { readonly action: "if" | "try" | "repeat" }>;

const common = {
  name: z.string().min(1).optional().describe("What the step does, in words"),
  timeout_seconds: z
    .number()
    .positive()
    .max(600)
    .optional()
    .describe("How long the page may take until the step can be done"),
};

const address = z.strictObject({
  building_number: z.string().describe("Number, range or name"),
  street: z.string(),
  postcode: z.string().optional(),
  full_address: z.string().optional().describe("Settles what number and street leave open"),
});

const rowCodes = (Object.keys(errorTable) as ErrorCode[]).filter((code) =>
  ["row", "transient"].includes(errorTable[code]),
);
const rowCode = z.enum(rowCodes as [ErrorCode, ...ErrorCode[]]);

const list = z.lazy(() => z.array(stepSchema));
const fieldName = z.string().regex(/^(?!__proto__$)[A-Za-z_]\w*$/, "must be letters, digits and underscores");
const act = { ...common, prompt: z.string().min(1), schema: z.json().optional() };

const forms = [
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
        .strictObject({ shown: z.string(), wanted: address })
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
    wanted: address,
    as: fieldName.optional(),
  }),
  z.strictObject({
    ...common,
    action: z.literal("if"),
    condition: conditionSchema,
    then: list,
    else: list.default([]),
  }),
  z.strictObject({
    ...common,
    action: z.literal("try"),
    steps: list,
    catch: list.default([]),
    as: fieldName.default("error"),
  }),
  z.strictObject({
    ...common,
    action: z.literal("repeat"),
    steps: list,
    times: z.int().positive().max(1000),
    until: conditionSchema.optional(),
    delay_seconds: z.number().nonnegative().default(0),
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

/** A step. */
export const stepSchema: z.ZodType<Step> = z.discriminatedUnion("action", forms);

/** The steps inside a step. */
export function innerSteps(step: Step): readonly Step[] {
  if (step.action === "if") return [...step.then, ...step.else];
  if (step.action === "try") return [...step.steps, ...step.catch];
  return step.action === "repeat" ? step.steps : [];
}

/** The names that a step itself gives values to. */
export function namesSetBy(step: Step): readonly string[] {
  if (step.action === "extract" || step.action === "set") return Object.keys(step.fields);
  if (step.action === "wait_for" || step.action === "choose") return step.as === undefined ? [] : [step.as];
  return step.action === "try" ? [step.as] : [];
}
