import { syncBuiltinESMExports } from "node:module";
import process from "node:process";
import { RowcallError, type Warning } from "../core/errors.ts";
import { currentAgentScope, rowsInFlight } from "../attempt/agent-scope.ts";

/** Who hears from a guarded process. */
export interface GuardListener {
  /** Told of what an agent's code did outside of any attempt in flight. */
  warn(warning: Warning): void;
  /** Told why the process ends, in time to write it synchronously; the process ends with the code that is returned. */
  explain(error: unknown): number;
}

/** Thrown where an agent calls `process.exit`, because that call never returns. */
class ExitPrevented extends Error {
  override readonly name = "ExitPrevented";
}

/**
 * Keeps this process alive whatever an agent's code does in it: an error that nothing catches fails the attempt it belongs to, or is a
 * warning; so is a call of `process.exit` or `process.abort`. An error of ours that nothing catches still ends the process.
 *
 * @returns ends the process at once, on purpose
 */
export function guardProcess({ warn, explain }: GuardListener): (code: number) => never {
  const exit = process.exit.bind(process);
  const abort = process.abort.bind(process);
  let isMeant = false;
  const end = (code: number): never => {
    isMeant = true;
    return exit(code);
  };

  const take = (thrown: unknown): void => {
    const scope = currentAgentScope();
    if (scope === undefined) return end(explain(thrown));
    if (thrown instanceof ExitPrevented) return;
    const warning = scope.takeError(thrown);
    if (warning !== undefined) warn(warning);
  };
  process.on("uncaughtException", take).on("unhandledRejection", take);

  const prevent = (call: string): void => {
    const scope = currentAgentScope();
    if (scope === undefined) return;
    const warning = scope.takeExit(call);
    if (warning !== undefined) warn(warning);
    throw new ExitPrevented(`${call} was called`);
  };
  process.exit = (code) => {
    prevent(`process.exit(${code ?? ""})`);
    return exit(code);
  };
  process.abort = () => {
    prevent("process.abort()");
    return abort();
  };
  // For those who import `exit` by name.
  syncBuiltinESMExports();

  process.on("exit", () => {
    const rows = isMeant ? [] : rowsInFlight();
    if (rows.length > 0) process.exitCode = explain(endedBy(rows));
  });
  return end;
}

function endedBy(rows: readonly number[]): RowcallError {
  const which =
    rows.length === 1 ? `row ${rows[0]}` : `rows ${rows.slice(0, 10).join(", ")}${rows.length > 10 ? ", …" : ""}`;
  return new RowcallError(
    "AGENT_CRASHED",
    `The agent ended the process: process.exit was called while ${which} was in flight`,
    {
      hint: "An agent must throw an error instead of ending the process. What is done is kept: `rowcall resume last` continues the run.",
    },
  );
}
