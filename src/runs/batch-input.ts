import { z } from "zod";
import { parseArn } from "../aws/aws.ts";
import { RowcallError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import { parseWith } from "../core/schema.ts";

const sections = {
  input_mapping: z.json().optional(),
  output_mapping: z.json().optional(),
  execution_config: z.json().optional(),
  notification_config: z.json().optional(),
  recording: z.json().optional(),
  agent_config: z.json().optional(),
};

const target = z.union([
  z.string().min(1),
  z.strictObject({ type: z.literal("agent"), name: z.string().min(1), version: z.string().optional() }),
]);

const inlineInput = z
  .strictObject({
    csv_s3_uri: z.string().min(1).optional(),
    input_csv_s3_uri: z.string().min(1).optional(),
    target,
    output_s3_prefix: z.string().min(1).optional(),
    output: z.string().min(1).optional(),
    ...sections,
  })
  .refine((value) => (value.csv_s3_uri ?? value.input_csv_s3_uri) !== undefined, {
    path: ["csv_s3_uri"],
    message: "missing",
  })
  .refine((value) => (value.output_s3_prefix ?? value.output) !== undefined, {
    path: ["output_s3_prefix"],
    message: "missing",
  });

/**
 * The batch that an execution asks for, as `loadBatch` reads it. An input with a `target` names agent and places itself and
 * holds the sections of a batch file; anything else is an execution input that names a batch file, or a batch file as it is.
 *
 * @throws RowcallError BATCH_INVALID
 */
export function batchOfInput(input: JsonValue): JsonObject {
  if (!isJsonObject(input)) {
    throw new RowcallError("BATCH_INVALID", "The execution input is not an object", {
      hint: "Give the keys of a batch file, or config_s3_uri, input_csv_s3_uri and output_s3_prefix.",
    });
  }
  if (!("target" in input)) return input;
  const {
    csv_s3_uri,
    input_csv_s3_uri,
    output_s3_prefix,
    output,
    target: named,
    ...rest
  } = parseWith(inlineInput, input, "BATCH_INVALID", "execution input");
  const batch = {
    ...agentOf(named),
    input: csv_s3_uri ?? input_csv_s3_uri,
    output: output_s3_prefix ?? output,
    ...rest,
  };
  return Object.fromEntries(Object.entries(batch).filter(([, value]) => value !== undefined)) as JsonObject;
}

function agentOf(named: z.output<typeof target>): JsonObject {
  if (typeof named !== "string")
    return { agent_name: named.name, ...(named.version === undefined ? {} : { agent_version: named.version }) };
  const arn = parseArn(named);
  if (arn === undefined) return { agent: named };
  return { agent_name: arn.resource.replace(/^stateMachine:/, ""), agent_state_machine_arn: named };
}
