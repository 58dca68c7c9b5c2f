import { html } from "hono/html";
import type { RowcallError } from "../../core/errors.ts";
import type { Page } from "./frame.ts";

/** Asks for the server's token. */
export function signInPage(): Page {
  return {
    title: "Sign in",
    main: html`<section class="panel narrow" aria-labelledby="sign-in-title">
      <h1 id="sign-in-title">Sign in</h1>
      <p>
        <code>rowcall serve</code> prints an address that lets one browser in. Open it, or paste the token here: it is in the
        file <code>server-token</code> of the data directory.
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

/**
 * Says what went wrong and what to do.
 *
 * @param status - of HTTP
 * @param problems - one line each, when several things are wrong
 */
export function errorPage(
  { code, message, hint }: Pick<RowcallError, "code" | "message" | "hint">,
  status: number,
  problems: readonly string[],
): Page {
  const heading = status === 404 ? "Not found" : status >= 500 ? "Something broke" : "That did not work";
  return {
    title: heading,
    main: html`<section class="panel narrow" aria-labelledby="error-title">
      <h1 id="error-title">${heading}</h1>
      <p class="cell-full">${message}</p>
      ${problems.length > 0 && html`<ul>${problems.map((problem) => html`<li class="cell-full">${problem}</li>`)}</ul>`}
      ${hint && html`<p class="soft">${hint}</p>`}
      <p class="small soft"><span class="mono">${code}</span> · HTTP ${status}</p>
      <p><a class="button" href="/">To the runs</a></p>
    </section>`,
  };
}
