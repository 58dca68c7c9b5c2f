import { messageOf, RowcallError } from "../core/errors.ts";
import type { Problem } from "../core/schema.ts";

/** What is checked before a run, in the order it is shown, with its title; the first words are those of the checklist people know. */
export const checkTitles = {
  batch_file: "Batch file is valid",
  agent_registered: "Agent is in the registry and takes batches",
  structured_output_enabled: "Agent has structured_output.enabled = true in registry",
  structured_output_returned: "Agent returns structured_output field in response",
  output_fields: "Output fields match between agent config (output_fields) and batch config (structured_output_fields)",
  input_columns: "Input CSV columns match agent input schema",
  input_accessible: "S3 buckets (or folders) exist and are accessible: input",
  output_accessible: "S3 buckets (or folders) exist and are accessible: output",
  browser: "Local browser agent is running",
  template: "Template is registered in TemplateRegistry",
  agent_opens: "Agent opens with its settings and secrets",
  channels: "Notification channels are known",
  table: "Input is a table",
  header: "Column names are distinct and not empty",
  output_columns: "Output columns have names of their own",
  formulas: "New cells hold nothing that a spreadsheet would run",
  row_selection: "Rows asked for are in the input",
  ragged_rows: "Rows are as wide as the header",
  valid_rows: "Every row makes a valid agent input",
  duplicate_rows: "No two rows ask the agent the same",
  aws_agent: "On AWS: agent can be called by Step Functions",
  aws_rate_limit: "On AWS: no rate limit is asked for",
  aws_places: "On AWS: input and output are in S3",
  aws_payload: "On AWS: every row's input fits into an execution",
  aws_concurrency: "On AWS: as many rows at once as asked for",
  aws_rates: "On AWS: transitions and starts stay below the region's rates",
  aws_time: "On AWS: attempts and run end within their time limits",
  aws_size: "On AWS: table fits into one run",
} as const;

/** Which check. */
export type CheckId = keyof typeof checkTitles;

/** One thing that was looked at before a run. */
export interface PlanCheck {
  readonly id: string;
  readonly title: string;
  /** `failed` keeps a batch from running, `warning` does not; `skipped` could not be made, or has nothing to look at. */
  readonly status: "passed" | "failed" | "warning" | "skipped";
  /** What was found, with the values. */
  readonly detail: string;
  readonly hint?: string;
  /** When several things are wrong: each, with its own hint. */
  readonly problems?: readonly Problem[];
}

/** One of our own checks. */
export interface Check extends PlanCheck {
  readonly id: CheckId;
}

/** A check whose outcome is known. */
export function createCheck(id: CheckId, status: Check["status"], detail: string, hint?: string): Check {
  return { id, title: checkTitles[id], status, detail, ...(hint === undefined ? {} : { hint }) };
}

/** A check that passes when there are no problems, else shows every one of them. */
export function checkProblems(
  id: CheckId,
  problems: readonly Problem[],
  passed: string,
  status: "failed" | "warning" = "failed",
): Check {
  const [first] = problems;
  if (first === undefined) return createCheck(id, "passed", passed);
  if (problems.length === 1) return createCheck(id, status, sentence(first), first.hint);
  return { ...createCheck(id, status, problems.map(sentence).join("; ")), problems };
}

/** A check that fails with what was thrown. */
export function checkThrown(id: CheckId, thrown: unknown, status: "failed" | "warning" = "failed"): Check {
  if (!(thrown instanceof RowcallError)) return createCheck(id, status, messageOf(thrown));
  const { problems } = thrown.details;
  if (Array.isArray(problems) && problems.length > 1) return checkProblems(id, problems as Problem[], "", status);
  return createCheck(id, status, thrown.message, thrown.hint);
}

/** A check that passes with what `look` answers and fails with what it throws. */
export async function checkBy(id: CheckId, look: () => Promise<string>): Promise<Check> {
  try {
    return createCheck(id, "passed", await look());
  } catch (thrown) {
    return checkThrown(id, thrown);
  }
}

function sentence({ path, message }: Problem): string {
  return path === "" ? message : `${path}: ${message}`;
}
