import { html } from "hono/html";
import type { Html, Page } from "./frame.ts";
import { noticeBox, type Notice } from "./parts.ts";

/**
 * Asks for the server's token.
 *
 * @param notice - what was wrong with what was given, or that somebody is signed out
 */
export function signInPage(notice?: Notice): Page {
  return {
    title: "Sign in",
    main: html`<section class="panel narrow" aria-labelledby="sign-in-title">
      <h1 id="sign-in-title">Sign in</h1>
      ${noticeBox(notice)}
      <p>
        <code>rowcall serve</code> prints an address that lets one browser in. Open it, or paste the token here: it stands in
        the file <code>server-token</code> of the data directory.
      </p>
      <form class="fields" method="post" action="/sign-in">
        <div class="field">
          <label for="token">Token</label>
          <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
        </div>
        <p><button class="primary">Sign in</button></p>
      </form>
    </section>`,
  };
}

/** What could not be shown, and why. */
export interface ErrorView {
  /** HTTP status. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** One line each, when several things are wrong. */
  readonly problems?: readonly string[];
}

/** Says what went wrong and what to do. */
export function errorPage({ status, code, message, hint, problems = [] }: ErrorView): Page {
  return {
    title: status === 404 ? "Not found" : "Something is wrong",
    main: html`<section class="panel narrow" aria-labelledby="error-title">
      <h1 id="error-title">${status === 404 ? "Not found" : status >= 500 ? "Something broke" : "That did not work"}</h1>
      <p class="cell-full">${message}</p>
      ${problems.length === 0 ? "" : list(problems)} ${hint === undefined ? "" : html`<p class="soft">${hint}</p>`}
      <p class="small soft"><span class="mono">${code}</span> · HTTP ${status}</p>
      <p><a class="button" href="/">To the runs</a></p>
    </section>`,
  };
}

function list(problems: readonly string[]): Html {
  return html`<ul>
    ${problems.map((problem) => html`<li class="cell-full">${problem}</li>`)}
  </ul>`;
}
