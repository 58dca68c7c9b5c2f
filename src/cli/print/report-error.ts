import { explainDatabaseError } from "../../runs/database-errors.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { jsonLine } from "../../core/printable.ts";
import type { Problem } from "../../core/schema.ts";
import { colorsFor } from "../cli.ts";
import { write, type Io } from "../io.ts";
import { hintLines } from "./output.ts";

/**
 * Says on standard error what went wrong: readable lines, or with `--json` one line of JSON; an entry where there is a log of
 * entries. Standard output stays as it is.
 *
 * @returns exit code that goes with the error
 */
export async function reportError(thrown: unknown, io: Io, json: boolean): Promise<number> {
  const explained = explainDatabaseError(thrown);
  const error = explained instanceof RowcallError ? explained : unexpected(thrown);
  const stack =
    isDebugged(io.env) && error.code === "UNEXPECTED" && thrown instanceof Error ? `${thrown.stack ?? ""}\n` : "";
  if (io.log !== undefined) {
    const { code, message, hint, details } = error;
    io.log({ level: "error", message, hint, code, ...(Object.keys(details).length === 0 ? {} : { details }) });
    if (stack !== "") await write(io.stderr, stack);
    return error.exitCode;
  }
  await write(io.stderr, json ? asJson(error) : asText(error, io) + stack);
  return error.exitCode;
}

function unexpected(thrown: unknown): RowcallError {
  return new RowcallError("UNEXPECTED", messageOf(thrown), {
    hint: "This is a bug in Rowcall: please report it. DEBUG=rowcall shows where it happened.",
    cause: thrown,
  });
}

function isDebugged(env: Io["env"]): boolean {
  return (env["DEBUG"] ?? "").split(",").some((name) => name === "rowcall" || name === "*");
}

function asJson({ code, message, hint, details }: RowcallError): string {
  return jsonLine({ error: { code, message, hint, details } });
}

function asText(error: RowcallError, io: Io): string {
  const problems = problemsOf(error);
  const prefix = colorsFor(io, io.stderr).red(error.code === "UNEXPECTED" ? "error (UNEXPECTED):" : "error:");
  const lines =
    problems.length < 2
      ? [`${prefix} ${error.message}`, ...hintLines(io, io.stderr, error.hint)]
      : [
          `${prefix} ${headOf(error.message, problems)}`,
          ...problems.flatMap((problem) => [
            `  - ${[problem.path, problem.message].filter(Boolean).join(": ")}`,
            ...hintLines(io, io.stderr, problem.hint, "    "),
          ]),
        ];
  return `${lines.join("\n")}\n`;
}

function problemsOf({ details }: RowcallError): readonly Problem[] {
  const { problems } = details;
  return Array.isArray(problems)
    ? problems.filter((p): p is Problem => isJsonObject(p) && typeof p["message"] === "string")
    : [];
}

// Messages of errors with several problems hold them all in one line; here each has its own.
function headOf(message: string, problems: readonly Problem[]): string {
  const first = problems[0]?.message ?? "";
  const end = message.lastIndexOf(": ", message.indexOf(first) - 1);
  const head = end > 0 ? message.slice(0, end) : message;
  const path = problems[0]?.path ?? "";
  return path !== "" && head.endsWith(`: ${path}`) ? head.slice(0, -path.length - 2) : head;
}
