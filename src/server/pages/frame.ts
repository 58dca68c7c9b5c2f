import { html } from "hono/html";
import { noticeBox, type Html, type Notice } from "./parts.ts";

/** The parts of the dashboard that the navigation leads to. */
const places = {
  runs: ["/", "Runs"],
  new: ["/new", "New batch"],
  agents: ["/agents", "Agents"],
  sessions: ["/sessions", "Sessions"],
} as const;

/** What every page is put into. */
export interface Frame {
  /** Address of a static file by its name, such as `dashboard.css`. */
  readonly asset: (name: string) => string;
  /** Whether there is somebody whom the navigation leads anywhere. */
  readonly isSignedIn: boolean;
  /** Whether it is a browser that can sign out; who sends the token cannot. */
  readonly hasSession: boolean;
}

/** One page. */
export interface Page {
  /** The browser tab's title, before the product's name. */
  readonly title: string;
  readonly place?: keyof typeof places;
  /** Names of the modules it runs; without them it still says what it has to say. */
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
  /** What was just done, or why it was not: shown above all else. */
  readonly notice?: Notice;
  readonly main: Html;
}

/** A whole document: landmarks, navigation, the page's own content. */
export function renderPage(frame: Frame, page: Page): Html {
  const styles = ["dashboard.css", ...(page.styles ?? [])];
  const scripts = ["forms.js", ...(page.scripts ?? [])];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} · Rowcall</title>
        <link rel="icon" href="${frame.asset("icon.svg")}" type="image/svg+xml" />
        ${styles.map((name) => html`<link rel="stylesheet" href="${frame.asset(name)}" />`)}
        ${scripts.map((name) => html`<script type="module" src="${frame.asset(name)}"></script>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="brand" href="/"><img src="${frame.asset("icon.svg")}" alt="" width="22" height="22" />Rowcall</a>
          ${frame.isSignedIn && navigation(page.place)} ${frame.hasSession && signOutForm()}
        </header>
        <main id="main" tabindex="-1">${page.notice && noticeBox(page.notice)} ${page.main}</main>
      </body>
    </html>`;
}

function navigation(current: Page["place"]): Html {
  return html`<nav aria-label="Main">
    ${Object.entries(places).map(
      ([place, [href, label]]) =>
        html`<a href="${href}" ${place === current && html`aria-current="page"`}>${label}</a>`,
    )}
  </nav>`;
}

/** The button that ends the session of who presses it. */
export function signOutForm(): Html {
  return html`<form class="sign-out" method="post" action="/sign-out"><button class="small">Sign out</button></form>`;
}
