import { createHash } from "node:crypto";
import type { InvokeContext } from "../../core/agent.ts";
import type { StateMachine } from "./stepfunctions-config.ts";
import { failureWords } from "../../aws/aws.ts";
import { RowcallError } from "../../core/errors.ts";
import { parseJson, type JsonValue } from "../../core/json.ts";
import type { ExecutionEnd } from "./execution-poller.ts";

/** Step Functions' limit of a name. */
const maxLength = 80;
const digestLength = 16;

/**
 * The name of an attempt's execution: always the same for the same run, row, attempt and input, and never the same
 * for others. `20251018-053000-4f2k-17-1-9b74c9897bac770f` belongs to run `20251018-053000-4f2k`, row 17, attempt 1.
 *
 * The input is part of it because Step Functions answers a known name with what that execution gave: whatever happens to run
 * ids, a row never gets another row's answer.
 *
 * @param input - JSON text
 * @param round - 2 or more when earlier executions of this attempt were stopped by an interruption
 */
export function executionName(
  { runId, row, attempt }: Pick<InvokeContext, "runId" | "row" | "attempt">,
  input: string,
  round = 1,
): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([runId, row, attempt, input, round]))
    .digest("hex")
    .slice(0, digestLength);
  const tail = `-${row}-${attempt}-${digest}`;
  // CloudWatch logs only executions whose names are made of these.
  const head = runId.replace(/[^\w-]/g, "_").slice(0, maxLength - tail.length);
  return head + tail;
}

/** The ARN of a state machine's execution; versions and aliases are no part of it. */
export function executionArn({ parts, name }: StateMachine, execution: string): string {
  return `arn:${parts.partition}:states:${parts.region}:${parts.account}:execution:${name}:${execution}`;
}

/** Returns the address at which an execution is shown. */
export function consoleUrl({ parts }: StateMachine, arn: string): string {
  const host =
    { "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com" }[parts.partition] ??
    "console.aws.amazon.com";
  return `https://${parts.region}.${host}/states/home?region=${parts.region}#/v2/executions/details/${arn}`;
}

/** The errors that an attempt stops its execution with. */
export const stopErrors = { timeout: "Rowcall.Timeout", interrupted: "Rowcall.Interrupted" } as const;

/**
 * The reply of an execution that has ended: its output.
 *
 * @param where - where the execution can be looked at, for hints
 * @throws RowcallError AGENT_FAILED, TIMEOUT, OUTPUT_INVALID
 */
export function resultOf(end: ExecutionEnd, where: string): JsonValue {
  const { status, error = "", cause = "" } = end;
  if (status === "SUCCEEDED") return parseOutput(end.output, where);
  if (status === "ABORTED" && error === stopErrors.timeout) {
    // Stopped by this very attempt, whose process went away before it could tell.
    throw new RowcallError("TIMEOUT", "Execution timeout", {
      hint: `Raise execution_config.timeout_seconds. ${where}`,
    });
  }
  if (status === "TIMED_OUT" || error === "States.Timeout") {
    throw new RowcallError("TIMEOUT", "Execution timeout", {
      hint: `The state machine's own TimeoutSeconds was up. Raise it in the definition; the execution: ${where}`,
    });
  }
  const words = failureWords(error, cause);
  if (status === "ABORTED") {
    throw new RowcallError("AGENT_FAILED", `The execution was stopped${words === "" ? "" : `: ${words}`}`, {
      hint: `Somebody stopped it, so it is not tried again: \`rowcall rerun\` does. The execution: ${where}`,
      retryable: false,
    });
  }
  throw new RowcallError("AGENT_FAILED", words === "" ? "The execution failed without a message" : words, {
    hint:
      error === "States.DataLimitExceeded"
        ? "What one state hands to the next is at most 256 KiB: keep large results in S3 and hand on where they lie."
        : `The execution: ${where}`,
  });
}

function parseOutput(output: string | undefined, where: string): JsonValue {
  try {
    return parseJson(output ?? "");
  } catch {
    throw new RowcallError("OUTPUT_INVALID", "The execution succeeded, and AWS shows no output that is JSON", {
      hint: `Check that this account may decrypt the execution's data: ${where}`,
    });
  }
}
