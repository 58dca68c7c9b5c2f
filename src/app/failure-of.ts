import { messageOf, RowcallError } from "../core/errors.ts";
import type { Execution } from "../aws/execution.ts";
import { ExecutionFailure } from "./state-machine.ts";

/** What was thrown as the error and cause of an execution: our errors by their code, with the hint in the cause. */
export function failureOf(thrown: unknown): Pick<Execution, "error" | "cause"> {
  if (thrown instanceof ExecutionFailure) {
    const { error, cause } = thrown;
    return { error, ...(cause === undefined ? {} : { cause }) };
  }
  if (!(thrown instanceof RowcallError)) return { error: "States.Runtime", cause: messageOf(thrown) };
  const { code, message, hint } = thrown;
  return { error: code, cause: hint === undefined ? message : `${message}. ${hint}` };
}
