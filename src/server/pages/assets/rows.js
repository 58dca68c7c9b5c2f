import { handleActions } from "./actions.js";

handleActions();

const rows = [...document.querySelectorAll("#rows tbody tr")];
let at = -1;

/** Keys that do something outside of fields, by name. */
const keys = {
  j: () => move(1),
  k: () => move(-1),
  x: () => rows[at]?.querySelector("input")?.click(),
  n: () => document.querySelector('a[rel="next"]')?.click(),
  p: () => document.querySelector('a[rel="prev"]')?.click(),
  "/": () => document.getElementById("text")?.focus(),
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "Escape" && target instanceof HTMLInputElement) return target.blur();
  if (target instanceof HTMLElement && target.matches("input:not([type=checkbox]), select, textarea, video")) return;
  // The focus is on the row's link, so that Enter opens it as any link.
  const act = keys[key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});

for (const [index, row] of rows.entries()) {
  row.addEventListener("focusin", () => choose(index));
}

/** @param {number} by */
function move(by) {
  if (rows.length === 0) return;
  choose(Math.min(Math.max(at + by, 0), rows.length - 1));
  rows[at]?.querySelector("th a")?.focus();
}

/** @param {number} index */
function choose(index) {
  rows[at]?.classList.remove("current");
  at = index;
  rows[at]?.classList.add("current");
}
