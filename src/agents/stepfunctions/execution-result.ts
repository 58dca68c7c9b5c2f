import { RowcallError } from "../../core/errors.ts";
import { failureWords } from "../../core/failure-words.ts";
import { parseJson, type JsonValue } from "../../core/json.ts";
import type { ExecutionEnd } from "./execution-poller.ts";

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
