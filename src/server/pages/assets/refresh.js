import { localTime } from "./forms.js";

/** @type {Promise<void> | undefined} */
let underWay;

/**
 * Brings the parts of the page that are marked `data-refresh` up to date with what the server would show now. Parts that did
 * not change are left alone, as is a part in which somebody is typing.
 *
 * @returns {Promise<void>}
 */
export function refresh() {
  underWay ??= load().finally(() => (underWay = undefined));
  return underWay;
}

async function load() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of document.querySelectorAll("[data-refresh]")) {
    const fresh = page.getElementById(part.id);
    if (fresh !== null) replace(part, fresh);
  }
  document.title = page.title;
  const live = document.getElementById("live");
  const freshLive = page.getElementById("live");
  if (live !== null && freshLive !== null) live.dataset.status = freshLive.dataset.status;
}

/**
 * @param {Element} part
 * @param {Element} fresh
 */
function replace(part, fresh) {
  // Compared as it came: times were rewritten here.
  const text = fresh.innerHTML;
  if (part.shown === text) return;
  const active = document.activeElement;
  const isHeld = active instanceof HTMLElement && part.contains(active);
  if (isHeld && active.matches("input, select, textarea")) return;
  const open = [...part.querySelectorAll("details")].map((details) => details.open);
  const focused = isHeld ? [...part.querySelectorAll("a, button")].indexOf(active) : -1;
  part.shown = text;
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const [at, details] of part.querySelectorAll("details").entries()) details.open = open[at] ?? details.open;
  for (const time of part.querySelectorAll("time")) localTime(time);
  if (focused >= 0) [...part.querySelectorAll("a, button")][focused]?.focus();
}
