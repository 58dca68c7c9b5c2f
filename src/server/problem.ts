import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { explainDatabaseError } from "../runs/database-errors.ts";
import { errorKind, messageOf, RowcallError, type ErrorCode } from "../core/errors.ts";

/**
 * An error as the API answers it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export interface ApiProblem {
  /** Page and section that explain the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  /** What to do next. */
  readonly hint?: string;
  /** Values a program may want; `problems` lists everything that is wrong. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Puts anything that was thrown into an answer's words. What was not thrown on purpose keeps its text: who asks owns the machine. */
export function problemOf(thrown: unknown): ApiProblem {
  const explained = explainDatabaseError(thrown);
  const error =
    explained instanceof RowcallError
      ? explained
      : new RowcallError("UNEXPECTED", messageOf(thrown), { hint: "The server's log has more." });
  const { code, message, hint, details } = error;
  const { httpStatus } = errorKind(code);
  return {
    type: `urn:rowcall:error:${code}`,
    title: code.toLowerCase().replaceAll("_", " "),
    status: httpStatus < 400 ? 409 : httpStatus,
    detail: message,
    code,
    ...(hint === undefined ? {} : { hint }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

/** Answers with a problem. */
export function sendProblem(c: Context, problem: ApiProblem): Response {
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
    ...(problem.status === 401 ? { "WWW-Authenticate": 'Bearer realm="rowcall"' } : {}),
  });
}
