import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { explainDatabaseError } from "../runs/database-errors.ts";
import { errorKind, messageOf, RowcallError } from "../core/errors.ts";
import type { ApiProblem } from "./api/schemas.ts";

/** Anything that was thrown as one of our errors. What was not thrown on purpose keeps its text: who asks owns the machine. */
export function errorOf(thrown: unknown): RowcallError {
  const explained = explainDatabaseError(thrown);
  return explained instanceof RowcallError
    ? explained
    : new RowcallError("UNEXPECTED", messageOf(thrown), { hint: "The server's log has more." });
}

/** The HTTP status that an error is answered with. */
export function statusOf({ code }: RowcallError): ContentfulStatusCode {
  return errorKind(code).httpStatus as ContentfulStatusCode;
}

/** Answers with what was thrown, as a problem. */
export function sendProblem(c: Context, thrown: unknown): Response {
  const error = errorOf(thrown);
  const { code, message, hint, details } = error;
  const status = statusOf(error);
  const problem: ApiProblem = {
    type: `urn:rowcall:error:${code}`,
    title: code.toLowerCase().replaceAll("_", " "),
    status,
    detail: message,
    code,
    hint,
    details: Object.keys(details).length === 0 ? undefined : details,
  };
  return c.body(JSON.stringify(problem), status, {
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
    ...(status === 401 && { "WWW-Authenticate": 'Bearer realm="rowcall"' }),
  });
}
