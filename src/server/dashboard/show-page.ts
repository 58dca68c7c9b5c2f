import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { errorKind, messageOf, RowcallError } from "../../core/errors.ts";
import type { Problem } from "../../core/schema.ts";
import { signInPath } from "../security/access.ts";
import { renderPage, type Frame, type Page } from "../../dashboard/frame.ts";
import type { Notice } from "../../dashboard/parts.ts";
import { errorPage, signInPage } from "../../dashboard/problem-pages.ts";

/** Answers with pages. */
export interface Pages {
  show(c: Context, page: Page, status?: ContentfulStatusCode): Promise<Response>;
  /** The page that says what went wrong; the one to sign in on when that is what is missing. */
  showError(c: Context, thrown: unknown): Promise<Response>;
}

/** Puts pages into the dashboard's frame. */
export function createPages(asset: Frame["asset"]): Pages {
  const send = async (c: Context, page: Page, status: ContentfulStatusCode, isSignedIn: boolean): Promise<Response> =>
    c.html(await renderPage({ asset, isSignedIn }, page), status, { "Cache-Control": "no-store" });
  return {
    show: (c, page, status = 200) => send(c, page, status, true),
    showError: (c, thrown) => {
      const error = thrown instanceof RowcallError ? thrown : new RowcallError("UNEXPECTED", messageOf(thrown));
      const { code, message, hint } = error;
      if (code === "TOKEN_INVALID") return send(c, signInPage(signInProblem(c)), 401, false);
      const status = statusOf(error);
      const page = errorPage({
        status,
        code,
        message,
        ...(hint === undefined ? {} : { hint }),
        problems: problemsOf(error),
      });
      return send(c, page, status, true);
    },
  };
}

function signInProblem(c: Context): string | undefined {
  if (c.req.path === signInPath && c.req.method === "POST") return "That is not this server's token.";
  return c.req.query("code") === undefined ? undefined : "This address was used already, or is too old.";
}

/** What was thrown, as a notice on the page where it was asked for. */
export function noticeOf(thrown: unknown): Notice {
  if (!(thrown instanceof RowcallError)) throw thrown;
  const problems = problemsOf(thrown);
  const text = problems.length > 1 ? `${thrown.message} ${problems.join(" · ")}` : thrown.message;
  return { tone: "bad", text, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) };
}

/** Status that a page with this error is answered with. */
export function statusOf(thrown: unknown): ContentfulStatusCode {
  const { httpStatus } = errorKind(thrown instanceof RowcallError ? thrown.code : "UNEXPECTED");
  return (httpStatus < 400 ? 409 : httpStatus) as ContentfulStatusCode;
}

function problemsOf({ details: { problems } }: RowcallError): string[] {
  if (!Array.isArray(problems)) return [];
  return (problems as Problem[]).map(({ path, message, hint }) =>
    [path === "" ? message : `${path}: ${message}`, hint].filter((part) => part !== undefined).join(". "),
  );
}
