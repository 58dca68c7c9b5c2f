import { z } from "zod";

// What the interpreter runs, field by field. All objects are strict: a field it does not know is an error, never passed over.
const expressionPattern = /^\{%[\s\S]*%\}$/;

/** Whether a text of a definition is JSONata rather than itself. */
export function isExpression(text: string): boolean {
  return expressionPattern.test(text);
}

const expression = z.string().regex(expressionPattern);

function dynamic<T>(schema: z.ZodType<T>, what: string) {
  return z.union([schema, expression], { error: `must be ${what}, or JSONata in "{% %}"` });
}

const text = z.string();
const json = z.json();
const template = z.record(z.string(), z.json());
const positive = z.int().min(1).max(99_999_999);
const seconds = dynamic(positive, "a whole number from 1 to 99999999");
const natural = dynamic(z.int().min(0), "a whole number, 0 or more");
const common = { Comment: text.optional(), QueryLanguage: z.literal("JSONata").optional() };
const outcome = { Assign: template.optional(), Output: json.optional() };
const going = { ...common, ...outcome, Next: text.optional(), End: z.literal(true).optional() };
const errorEquals = z.array(text.min(1)).min(1);

const failing = {
  Retry: z
    .array(
      z.strictObject({
        ErrorEquals: errorEquals,
        IntervalSeconds: positive.optional(),
        MaxAttempts: z.int().min(0).max(99_999_999).optional(),
        BackoffRate: z.number().min(1).optional(),
        MaxDelaySeconds: z.int().min(1).max(31_622_400).optional(),
        JitterStrategy: z.enum(["FULL", "NONE"]).optional(),
        Comment: text.optional(),
      }),
    )
    .optional(),
  Catch: z
    .array(z.strictObject({ ErrorEquals: errorEquals, Next: text, ...outcome, Comment: text.optional() }))
    .optional(),
};

const sequence = {
  StartAt: text,
  Comment: text.optional(),
  States: z.record(
    z.string().min(1).max(80),
    z.lazy((): z.ZodType => state),
  ),
};

const arn = (suffix: string) =>
  text.regex(new RegExp(`^arn:aws[\\w-]*:states:::${suffix}$`), { error: `must be arn:aws:states:::${suffix}` });

const itemReader = z.strictObject({
  Resource: arn("s3:getObject"),
  ReaderConfig: z.strictObject({
    InputType: z.enum(["JSON", "JSONL", "CSV"]),
    CSVHeaderLocation: z.literal("FIRST_ROW").optional(),
    MaxItems: natural.optional(),
  }),
  Arguments: z.union([z.strictObject({ Bucket: text, Key: text }), expression]),
});

const itemBatcher = z.strictObject({
  MaxItemsPerBatch: dynamic(positive, "a whole number, 1 or more").optional(),
  MaxInputBytesPerBatch: dynamic(z.int().min(1).max(262_144), "a whole number from 1 to 262144").optional(),
  BatchInput: json.optional(),
});

const resultWriter = z.strictObject({
  Resource: arn("s3:putObject"),
  Arguments: z.union([z.strictObject({ Bucket: text, Prefix: text.optional() }), expression]),
  WriterConfig: z
    .strictObject({ Transformation: z.enum(["NONE", "COMPACT"]), OutputType: z.enum(["JSON", "JSONL"]) })
    .optional(),
});

const itemProcessor = z.strictObject({
  ...sequence,
  ProcessorConfig: z
    .strictObject({
      Mode: z.enum(["INLINE", "DISTRIBUTED"]),
      ExecutionType: z.enum(["STANDARD", "EXPRESS"]).optional(),
    })
    .optional(),
});

const state: z.ZodType = z.discriminatedUnion("Type", [
  z.strictObject({
    Type: z.literal("Task"),
    ...going,
    ...failing,
    Resource: text,
    Arguments: json.optional(),
    TimeoutSeconds: seconds.optional(),
    HeartbeatSeconds: seconds.optional(),
  }),
  z.strictObject({ Type: z.literal("Pass"), ...going }),
  z.strictObject({
    Type: z.literal("Choice"),
    ...common,
    ...outcome,
    Choices: z
      .array(
        z.strictObject({
          Condition: dynamic(z.boolean(), "true or false"),
          Next: text,
          ...outcome,
          Comment: text.optional(),
        }),
      )
      .min(1),
    Default: text.optional(),
  }),
  z.strictObject({
    Type: z.literal("Wait"),
    ...going,
    Seconds: dynamic(z.int().min(0).max(99_999_999), "a whole number from 0 to 99999999").optional(),
    Timestamp: dynamic(z.iso.datetime({ offset: true }), "an RFC3339 timestamp").optional(),
  }),
  z.strictObject({
    Type: z.literal("Parallel"),
    ...going,
    ...failing,
    Arguments: json.optional(),
    Branches: z.array(z.strictObject(sequence)).min(1),
  }),
  z.strictObject({
    Type: z.literal("Map"),
    ...going,
    ...failing,
    Items: dynamic(z.array(json), "an array").optional(),
    ItemReader: itemReader.optional(),
    ItemSelector: json.optional(),
    ItemBatcher: itemBatcher.optional(),
    ItemProcessor: itemProcessor,
    ResultWriter: resultWriter.optional(),
    MaxConcurrency: natural.optional(),
    ToleratedFailurePercentage: dynamic(z.number().min(0).max(100), "a number from 0 to 100").optional(),
    ToleratedFailureCount: natural.optional(),
    Label: text
      .min(1)
      .max(40)
      .regex(/^[^\s?*<>{}[\]:;,\\|^~$#%&`"\u0000-\u001f\u007f-\u009f]*$/, {
        error: "must have none of the characters that labels may not have",
      })
      .optional(),
  }),
  z.strictObject({ Type: z.literal("Succeed"), ...common, Output: json.optional() }),
  z.strictObject({ Type: z.literal("Fail"), ...common, Error: text.optional(), Cause: text.optional() }),
]);

/** A whole machine. */
export const machineSchema: z.ZodType = z.strictObject({
  QueryLanguage: z.literal("JSONata").optional(),
  ...sequence,
  TimeoutSeconds: positive.optional(),
  Version: z.literal("1.0").optional(),
});
