import type { Context } from "hono";
import { RowcallError } from "../../core/errors.ts";
import type { Problem } from "../../core/schema.ts";
import { renderPage, type Frame, type Page } from "../pages/frame.ts";
import type { Notice } from "../pages/parts.ts";
import { errorPage, signInPage } from "../pages/problem-pages.ts";
import { errorOf, statusOf } from "../problem.ts";
import { isSignedOut, signInCode, signInPath } from "../security/access.ts";
import type { ServerEnv } from "../server-setup.ts";

/** Answers with pages. */
export interface Pages {
  show(c: Context<ServerEnv>, page: Page): Promise<Response>;
  /** The page where something was asked for, with a notice of why it was not done. */
  showRefused(c: Context<ServerEnv>, page: Page, thrown: unknown): Promise<Response>;
  /** The page that says what went wrong; the one to sign in on when that is what is missing. */
  showError(c: Context<ServerEnv>, thrown: unknown): Promise<Response>;
}

/** Puts pages into the dashboard's frame. */
export function createPages(asset: Frame["asset"]): Pages {
  const answer = async (
    c: Context<ServerEnv>,
    page: Page,
    status: ReturnType<typeof statusOf> = 200,
  ): Promise<Response> => {
    const caller = c.get("caller");
    const frame = { asset, isSignedIn: caller !== undefined, hasSession: caller?.session !== undefined };
    return c.html(await renderPage(frame, page), status, { "Cache-Control": "no-store" });
  };
  return {
    show: (c, page) => answer(c, page),
    showRefused: async (c, page, thrown) => {
      if (!(thrown instanceof RowcallError)) throw thrown;
      return answer(c, { ...page, notice: noticeOf(thrown) }, statusOf(thrown));
    },
    showError: async (c, thrown) => {
      const error = errorOf(thrown);
      const status = statusOf(error);
      if (error.code === "TOKEN_INVALID") return answer(c, { ...signInPage(), notice: signInNotice(c) }, status);
      return answer(c, errorPage(error, status, problemsOf(error)), status);
    },
  };
}

function signInNotice(c: Context): Notice | undefined {
  if (isSignedOut(c)) return { tone: "ok", text: "You are signed out." };
  if (c.req.path === signInPath && c.req.method === "POST")
    return { tone: "bad", text: "That is not this server's token." };
  if (signInCode(c) === undefined) return undefined;
  return { tone: "bad", text: "This address was used already, or is too old." };
}

function noticeOf(error: RowcallError): Notice {
  const problems = problemsOf(error);
  const text = problems.length > 1 ? `${error.message} ${problems.join(" · ")}` : error.message;
  return { tone: "bad", text, hint: error.hint };
}

function problemsOf({ details: { problems } }: RowcallError): string[] {
  if (!Array.isArray(problems)) return [];
  return (problems as Problem[]).map(({ path, message, hint }) =>
    [path === "" ? message : `${path}: ${message}`, hint].filter((part) => part !== undefined).join(". "),
  );
}
