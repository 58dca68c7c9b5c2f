import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { errorKind, messageOf, RowcallError } from "../../core/errors.ts";
import type { Problem } from "../../core/schema.ts";
import { isSignedOut, signInPath } from "../security/access.ts";
import { renderPage, type Frame, type Page } from "../pages/frame.ts";
import type { Notice } from "../pages/parts.ts";
import { errorPage, signInPage } from "../pages/problem-pages.ts";
import type { ServerEnv } from "../server-setup.ts";

/** Answers with pages. */
export interface Pages {
  show(c: Context<ServerEnv>, page: Page, status?: ContentfulStatusCode): Promise<Response>;
  /** The page that says what went wrong; the one to sign in on when that is what is missing. */
  showError(c: Context<ServerEnv>, thrown: unknown): Promise<Response>;
}

/** Puts pages into the dashboard's frame. */
export function createPages(asset: Frame["asset"]): Pages {
  const show: Pages["show"] = async (c, page, status = 200) => {
    const caller = c.get("caller");
    const frame = { asset, isSignedIn: caller !== undefined, hasSession: caller?.session !== undefined };
    return c.html(await renderPage(frame, page), status, { "Cache-Control": "no-store" });
  };
  return {
    show,
    showError: (c, thrown) => {
      const error = thrown instanceof RowcallError ? thrown : new RowcallError("UNEXPECTED", messageOf(thrown));
      const { code, message, hint } = error;
      if (code === "TOKEN_INVALID") return show(c, signInPage(signInNotice(c)), 401);
      const status = statusOf(error);
      const page = errorPage({
        status,
        code,
        message,
        ...(hint === undefined ? {} : { hint }),
        problems: problemsOf(error),
      });
      return show(c, page, status);
    },
  };
}

function signInNotice(c: Context): Notice | undefined {
  if (isSignedOut(c)) return { tone: "ok", text: "You are signed out." };
  if (c.req.path === signInPath && c.req.method === "POST")
    return { tone: "bad", text: "That is not this server's token." };
  if (c.req.query("code") === undefined) return undefined;
  return { tone: "bad", text: "This address was used already, or is too old." };
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
