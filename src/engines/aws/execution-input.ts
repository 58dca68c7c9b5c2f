import { z } from "zod";
import type { RowSelection } from "../../core/engine.ts";
import { errorTable, type ErrorCode } from "../../core/errors.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { parseWith } from "../../core/schema.ts";
import type { EarlierRun } from "./staged-run.ts";

/** What of a batch is to be run. */
export interface RunChoice {
  readonly rows?: RowSelection;
  readonly limit?: number;
  readonly force?: boolean;
  /** The run that this one goes on with. */
  readonly earlier?: Omit<EarlierRun, "uri">;
}

const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];
const index = z.int().min(0);

const rows = z.array(z.tuple([index, index])).optional();

const choiceSchema = z.strictObject({
  rows,
  limit: z.int().min(1).optional(),
  force: z.boolean().optional(),
  earlier: z
    .strictObject({
      id: z.string().min(1),
      again: z.enum(["failed", "pending"]),
      codes: z.array(z.enum(codes)).optional(),
      rows,
    })
    .optional(),
});

/**
 * Takes apart an execution's input: the batch, and under `rowcall` what of it is to be run.
 *
 * @throws RowcallError BATCH_INVALID
 */
export function readExecutionInput(input: JsonValue): { readonly input: JsonValue; readonly choice: RunChoice } {
  if (!isJsonObject(input) || !("rowcall" in input)) return { input, choice: {} };
  const { rowcall, ...rest } = input;
  const choice = parseWith(choiceSchema, rowcall, "BATCH_INVALID", "execution input");
  return { input: rest, choice };
}
