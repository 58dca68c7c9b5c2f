import { html, raw } from "hono/html";
import type { Face, SiteSettings } from "./site-state.ts";

type Html = ReturnType<typeof html>;

/** The shell of a checker: everything else is drawn by the page's script from the hash. */
export function checkerPage(face: Face, settings: SiteSettings): Html {
  return page("Broadband Availability Checker", settings, html`<div id="app"></div>`, `/web/${face}.js`);
}

/** The front page, with the way to the login. */
export function homePage(settings: SiteSettings): Html {
  return page(
    "Wholesale home",
    settings,
    html`<header class="topbar">
        <strong>Wholesale services</strong>
        <a class="button" href="/login">Log in</a>
      </header>
      <main class="narrow">
        <h1>Find out which broadband a home can have</h1>
        <p>
          This site stands in for a public broadband checker, so that automation can be tried without bothering anybody.
        </p>
        <ul class="tiles">
          <li><a href="/public/#/ADSL/AddressHome">Public checker</a><span>Open to all, asks for an address.</span></li>
          <li>
            <a href="/bbac-ui/totl/totlSearch/#/ADSL/AddressHome">Logged-in checker</a
            ><span>More detail, behind a login.</span>
          </li>
          <li><a href="/__control">Controls</a><span>State of this replica as JSON.</span></li>
        </ul>
      </main>`,
    "/web/site.js",
  );
}

/** Both steps of the login; the script shows one after the other. */
export function loginPage(settings: SiteSettings, returnTo: string): Html {
  return page(
    "Secure Authentication",
    settings,
    html`<main class="narrow">
      <section id="login" class="panel" data-return-to="${returnTo}" data-delay-ms="${settings.loginDelayMs}"></section>
    </main>`,
    "/web/login.js",
  );
}

/** The page between login and destination: it goes on by script, as single sign-on pages do. */
export function signOnPage(settings: SiteSettings, returnTo: string): Html {
  return page(
    "Signing you on",
    settings,
    html`<main class="narrow"><p id="sign-on" data-return-to="${returnTo}">One moment, taking you on …</p></main>`,
    "/web/site.js",
  );
}

/** The tab "My Apps" with the tile that opens the checker. */
export function portalPage(settings: SiteSettings): Html {
  return page(
    "Portal",
    settings,
    html`<header class="topbar"><strong>Portal</strong></header>
      <main class="narrow">
        <ul class="nav nav-tabs">
          <li class="active"><a href="#/myApps">My Apps</a></li>
        </ul>
        <section class="panel tile">
          <h2>Enhanced Broadband Availability Checker</h2>
          <p>Look up what can be ordered at an address.</p>
          <a
            class="button"
            role="button"
            target="${settings.portalNewTab ? "_blank" : "_self"}"
            href="/bbac-ui/totl/totlSearch/#/ADSL/AddressHome"
            >Open App</a>
        </section>
      </main>`,
    "/web/site.js",
  );
}

/** A page that only says something: unknown address, or a closed site. */
export function messagePage(settings: SiteSettings, title: string, message: string): Html {
  return page(
    title,
    { ...settings, cookieBanner: false },
    html`<main class="narrow">
      <h1>${title}</h1>
      <p>${message}</p>
    </main>`,
  );
}

function page(title: string, settings: SiteSettings, body: Html, script?: string): Html {
  const { captcha, captchaAnswer, cookieBanner, layout, clientTimeoutMs } = settings;
  // "<" is the one character that could end the script element.
  const shared = JSON.stringify({ captcha, captchaAnswer, cookieBanner, layout, clientTimeoutMs }).replaceAll(
    "<",
    "\\u003c",
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/web/style.css" />
      </head>
      <body>
        <p class="replica">Test replica with invented addresses. Not BT, not connected to any network operator.</p>
        ${body}
        <script id="settings" type="application/json">
          ${raw(shared)}
        </script>
        ${script === undefined ? "" : html`<script type="module" src="${script}"></script>`}
      </body>
    </html>`;
}
