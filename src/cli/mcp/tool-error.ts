import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { messageOf, RowcallError, type ErrorCode } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { toResult } from "./answer.ts";

/** What to do about an error with tools rather than with commands. */
const hints: Partial<Record<ErrorCode, string>> = {
  AGENT_NOT_FOUND: "list_agents shows the agents there are.",
  OUTPUT_EXISTS: "Choose another output: nothing is ever overwritten here.",
  PLAN_FAILED: "plan_batch shows what is wrong; nothing was run or written.",
  RUN_BUSY: "The run is in flight: follow it with run_progress, or end it with stop_run.",
  RUN_CONFLICT: "Choose another name, or continue the earlier run with resume_run.",
  RUN_NOT_FOUND: "list_runs shows the runs there are.",
};

/** Errors whose own words may quote the table, a file that was taken for a batch, or a service: what they are in ours. */
const quoting: Partial<Record<ErrorCode, { readonly message: string; readonly hint: string }>> = {
  BATCH_INVALID: {
    message: "The batch is not valid",
    hint: "Correct the batch: what is under untrusted says where it is wrong.",
  },
  COLUMN_MISSING: {
    message: "The batch names a column that the table does not have",
    hint: "Correct the column's name in the input_mapping of the batch.",
  },
  COLUMN_DUPLICATE: {
    message: "A column that is mapped is in the table more than once",
    hint: "Map another column, or ask the user to rename one of the two.",
  },
  COLUMN_COLLISION: {
    message: "A new column would have the name of one that is there",
    hint: "Give the field another name with output_mapping.rename.",
  },
  UNEXPECTED: {
    message: "Internal error",
    hint: "This is a bug in Rowcall: ask the user to report it.",
  },
  STORE_FAILED: {
    message: "A place could not be read or written",
    hint: "What it said is under untrusted. Try again later, or ask the user to check the place.",
  },
  AWS_FAILED: {
    message: "AWS could not do what it was asked",
    hint: "What it said is under untrusted. Try again later, or ask the user.",
  },
  AWS_DENIED: {
    message: "AWS refused what it was asked",
    hint: "What it said is under untrusted. Ask the user to sign in, or to allow it.",
  },
  INPUT_MALFORMED: {
    message: "The table cannot be read to its end",
    hint: "Ask the user to correct the lines that are named.",
  },
  INPUT_ENCODING: {
    message: "The table is not in the encoding that was expected",
    hint: "Name the encoding in the input of the batch.",
  },
};

/** An error as a tool's result: code, message and hint; words of the table are set apart as data. */
export function toErrorResult(thrown: unknown): CallToolResult {
  const error = thrown instanceof RowcallError ? thrown : new RowcallError("UNEXPECTED", messageOf(thrown));
  const { code } = error;
  const own = quoting[code];
  const said = { message: error.message, hint: hints[code] ?? inToolWords(error.hint), problems: problemsOf(error) };
  return toResult(
    {
      say: `${code}: the call did nothing. See error.message and error.hint.`,
      facts: { error: { code, ...(own ?? said) } },
      untrusted: own && said,
    },
    true,
  );
}

/** A hint that was written for the command line, with options as a tool's arguments are called; the server's own are the user's. */
export function inToolWords(hint: string | undefined): string | undefined {
  return hint?.replace(/--(?!allow)([a-z-]+)/g, (_option, name: string) => name.replaceAll("-", "_"));
}

function problemsOf({ details }: RowcallError): readonly object[] | undefined {
  const { problems } = details;
  if (!Array.isArray(problems) || problems.length < 2) return undefined;
  return problems.filter(isJsonObject).map(({ path, message, hint }) => ({
    path,
    message,
    hint: typeof hint === "string" ? inToolWords(hint) : undefined,
  }));
}
