import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";

/** A site on which an action leads to another page in every way that there is, or nowhere. */
export interface NavigationSite {
  readonly origin: string;
  close(): Promise<void>;
}

/** One way in which something follows an action. */
interface Kind {
  /** The page before; `to` is the address of the next one. */
  readonly body: (to: string) => string;
  /** What is done with `#go`. @default click */
  readonly act?: "click" | "press" | "check" | "select" | "fill";
  /** The heading that is right afterwards. @default Two */
  readonly right?: "One" | "Two" | "Three";
  /** Where `to` leads. @default two */
  readonly to?: string;
}

const button = (script: string): string => `<button id="go" onclick="${script}">Go</button>`;
const link = (to: string): string => `<a id="go" href="${to}">Go</a>`;
const draw = `(document.querySelector('h1').textContent = document.querySelector('h1').textContent.replace('One', 'Two'))`;

/** The kinds, by name. */
export const navigationKinds: Readonly<Record<string, Kind>> = {
  link: { body: link },
  "link, redirected": { body: link, to: "redirect" },
  "link, relative and by key": { body: link, act: "press" },
  "GET form": { body: (to) => `<form action="${to}">${hidden(to)}<button id="go">Go</button></form>` },
  "POST form": { body: (to) => `<form method="post" action="${to}"><button id="go">Go</button></form>` },
  "POST form, redirected": {
    body: (to) => `<form method="post" action="${to}"><button id="go">Go</button></form>`,
    to: "redirect",
  },
  "POST form by Enter": { body: (to) => `<form method="post" action="${to}"><input id="go"></form>`, act: "press" },
  "submit() in a handler": {
    body: (to) => `<form id="f" method="post" action="${to}"></form>${button("document.getElementById('f').submit()")}`,
  },
  "submit() a little later": {
    body: (to) =>
      `<form id="f" method="post" action="${to}"></form>${button("setTimeout(() => document.getElementById('f').submit(), 30)")}`,
  },
  "checkbox that submits": {
    body: (to) =>
      `<form method="post" action="${to}"><input type="checkbox" id="go" onchange="this.form.submit()"></form>`,
    act: "check",
  },
  "list that submits": {
    body: (to) =>
      `<form method="post" action="${to}"><select id="go" onchange="this.form.submit()"><option>A<option>B</select></form>`,
    act: "select",
  },
  "field that navigates": { body: (to) => `<input id="go" oninput="location = '${to}'">`, act: "fill" },
  "field that navigates after a pause": {
    body: (to) => `<input id="go" oninput="clearTimeout(window.t); t = setTimeout(() => (location = '${to}'), 80)">`,
    act: "fill",
  },
  "location now": { body: (to) => button(`location = '${to}'`) },
  "location after 50 ms": { body: (to) => button(`setTimeout(() => (location = '${to}'), 50)`) },
  "location after two timers": {
    body: (to) => button(`setTimeout(() => setTimeout(() => location.assign('${to}'), 40), 40)`),
  },
  "location after an awaited timer": {
    body: (to) =>
      button(`(async () => { await new Promise((done) => setTimeout(done, 60)); location.replace('${to}'); })()`),
  },
  "location after fetch": {
    body: (to) => button(`fetch('${to}&data').then((r) => r.text()).then(() => (location = '${to}'))`),
  },
  "location after fetch and a timer": {
    body: (to) => button(`fetch('${to}&data').then(() => setTimeout(() => (location = '${to}'), 50))`),
  },
  "location after two calls": {
    body: (to) =>
      button(
        `const x = new XMLHttpRequest(); x.open('GET', '${to}&data'); x.onload = () => fetch('${to}&data').then(() => location.assign('${to}')); x.send()`,
      ),
  },
  reload: { body: () => button("location.reload()"), right: "Three" },
  "meta refresh": { body: link, to: "meta" },
  "script that leads on": { body: link, to: "script" },
  "form that sends itself when loaded": { body: link, to: "onload" },
  "history with rendering": { body: (to) => button(`history.pushState({}, '', '${to}'); ${draw}`) },
  "history, rendered in the next frame": {
    body: (to) => button(`history.pushState({}, '', '${to}'); requestAnimationFrame(() => ${draw})`),
  },
  "history, rendered from a call": {
    body: (to) => button(`fetch('${to}&data').then(() => { history.pushState({}, '', '${to}'); ${draw} })`),
  },
  "fragment with rendering": {
    body: () => `${button("location.hash = 'two'")}<script>onhashchange = () => ${draw}</script>`,
  },
  "page that never finishes loading": { body: link, to: "hanging" },
  "page in pieces": { body: link, to: "pieces" },
  "leave this page?": {
    body: (to) => `<script>onbeforeunload = (event) => { event.preventDefault(); return "?"; }</script>${link(to)}`,
  },
  "confirm in a handler": { body: (to) => button(`if (!confirm('Really?')) location = '${to}'`) },
  "new tab": { body: (to) => `<a id="go" target="_blank" href="${to}">Go</a>` },
  "new tab by script": { body: (to) => button(`window.open('${to}')`) },
  "no content (204)": { body: link, to: "nothing", right: "One" },
  download: { body: link, to: "download", right: "One" },
  "download in a new tab": {
    body: (to) => `<a id="go" target="_blank" href="${to}">Go</a>`,
    to: "download",
    right: "One",
  },
  "form into a frame": {
    body: (to) =>
      `<iframe name="inner"></iframe><form target="inner" method="post" action="${to}"><button id="go">Go</button></form>`,
    right: "One",
  },
  "no navigation": { body: () => button("window.clicked = true"), right: "One" },
  "poll that never answers": {
    body: (to) => `${button("window.clicked = true")}<script>fetch('${to}')</script>`,
    to: "never",
    right: "One",
  },
};

/** The variables of a row of one kind. */
export function navigationRow(origin: string, kind: string, row: number, delayMs: number): JsonObject {
  return {
    url: `${origin}/one?${new URLSearchParams({ kind, row: String(row), delay: String(delayMs) }).toString()}`,
    act: navigationKinds[kind]?.act ?? "click",
  };
}

/** What such a row has to give. */
export function navigationAnswer(kind: string, row: number): string {
  return `${navigationKinds[kind]?.right ?? "Two"} ${row}`;
}

/** The steps of a row: an action, and at once a question to the page. */
export const navigationSteps: readonly JsonValue[] = [
  actIf("click", { action: "click", locator: { css: "#go" } }),
  actIf("press", { action: "press", locator: { css: "#go" }, key: "Enter" }),
  actIf("check", { action: "check", locator: { css: "#go" } }),
  actIf("select", { action: "select", locator: { css: "#go" }, option: "B" }),
  actIf("fill", { action: "fill", locator: { css: "#go" }, value: "x" }),
  { action: "extract", fields: { heading: { locator: { css: "h1" } }, all: { all: { css: "h1, p.piece" } } } },
];

function actIf(act: string, step: JsonObject): JsonValue {
  return { action: "if", condition: { value: "act", equals: act }, then: [step] };
}

/** Starts the site on a free port of this machine. */
export async function startNavigationSite(): Promise<NavigationSite> {
  const reloads = new Map<string, number>();
  const server = createServer((request, response) => {
    answer(request, response, reloads).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, reloads: Map<string, number>): Promise<void> {
  request.resume();
  const url = new URL(request.url ?? "/", "http://site");
  const row = url.searchParams.get("row") ?? "?";
  const delayMs = Number(url.searchParams.get("delay"));
  const to = `/two?row=${row}&delay=${delayMs}`;
  const html = (body: string): void => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>${row}</title>${body}`);
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

  if (url.pathname === "/one") {
    const name = url.searchParams.get("kind") ?? "";
    const kind = navigationKinds[name];
    const times = (reloads.get(url.href) ?? 0) + 1;
    reloads.set(url.href, times);
    if (times > 1) await wait(delayMs);
    const heading = times > 1 ? "Three" : "One";
    html(`<h1>${heading} ${row}</h1>${kind?.body(`/${kind.to ?? "two"}?row=${row}&delay=${delayMs}`) ?? ""}`);
    return;
  }
  if (url.pathname === "/never") return;
  await wait(delayMs);
  switch (url.pathname) {
    case "/two":
      html(`<h1>Two ${row}</h1>`);
      return;
    case "/redirect":
      response.writeHead(request.method === "POST" ? 303 : 302, { location: to }).end();
      return;
    case "/meta":
      html(`<meta http-equiv="refresh" content="0; url=${to}"><h1>Between</h1>`);
      return;
    case "/script":
      html(`<h1>Between</h1><script>location.replace("${to}")</script>`);
      return;
    case "/onload":
      html(`<body onload="document.forms[0].submit()"><h1>Between</h1><form method="post" action="${to}"></form>`);
      return;
    case "/hanging":
      html(`<h1>Two ${row}</h1><img src="/never"><script>fetch("/never")</script>`);
      return;
    case "/pieces":
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.write(`<!doctype html><h1>Two ${row}</h1>${" ".repeat(2048)}`);
      await wait(delayMs);
      response.end(`<p class="piece">last piece`);
      return;
    case "/nothing":
      response.writeHead(204).end();
      return;
    case "/download":
      response.writeHead(200, { "content-disposition": "attachment; filename=file.txt" }).end("a file");
      return;
    default:
      response.writeHead(404).end();
  }
}

function hidden(to: string): string {
  return [...new URL(to, "http://site").searchParams]
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
    .join("");
}
