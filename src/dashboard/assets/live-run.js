import { handleActions } from "./actions.js";
import { drawRate } from "./rate-chart.js";
import { refresh } from "./refresh.js";

/** How often the slower parts are asked for while the run goes. */
const refreshMs = 2500;
/** How often a screen reader is told. */
const sayMs = 15_000;

const live = document.getElementById("live");
const place = document.getElementById("chart");
const chart = place === null ? undefined : drawRate(place);
let saidAt = 0;
/** @type {number | undefined} */
let timer;

handleActions();
showChart();
if (live !== null) listen(new EventSource(live.dataset.events));

/** @param {EventSource} events */
function listen(events) {
  for (const name of ["run", "progress", "started"]) {
    events.addEventListener(name, (event) => onRun(JSON.parse(event.data)));
  }
  for (const name of ["attempt", "warning", "notice", "ended"]) events.addEventListener(name, refreshSoon);
}

/** @param {{ status: string, paused?: true, counts: Record<string, number> }} run */
function onRun({ status, counts }) {
  for (const name of ["succeeded", "failed", "inFlight", "pending"]) {
    setText(`[data-live="${name}"]`, counts[name].toLocaleString("en-GB"));
  }
  const done = counts.succeeded + counts.failed;
  moveBar(counts);
  say(
    `${done.toLocaleString("en-GB")} of ${counts.total.toLocaleString("en-GB")} rows done, ${counts.failed} failed`,
    status,
  );
  if (status === "running" && live.dataset.status === "running") refreshSoon();
  else void refreshNow();
}

function refreshSoon() {
  timer ??= setTimeout(refreshNow, refreshMs);
}

async function refreshNow() {
  clearTimeout(timer);
  timer = undefined;
  if (document.visibilityState === "hidden") return;
  await refresh().catch(() => {});
  showChart();
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void refreshNow();
});

function showChart() {
  const data = document.getElementById("timeline")?.dataset;
  if (data !== undefined) chart?.set(JSON.parse(data.at), JSON.parse(data.perSecond));
}

/** @param {Record<string, number>} counts */
function moveBar({ total, succeeded, failed, inFlight }) {
  const width = (many) => (total === 0 ? 0 : (100 * many) / total);
  setBar("succeeded", 0, width(succeeded));
  setBar("failed", width(succeeded), width(failed));
  setBar("inFlight", width(succeeded + failed), width(inFlight));
}

/**
 * @param {string} name
 * @param {number} x
 * @param {number} width
 */
function setBar(name, x, width) {
  const bar = document.querySelector(`#live [data-bar="${name}"]`);
  bar?.setAttribute("x", String(x));
  bar?.setAttribute("width", String(width));
}

/**
 * Tells what is seen, and now and then what a screen reader reads.
 *
 * @param {string} words
 * @param {string} status
 */
function say(words, status) {
  setText("#progress-sentence", words);
  const now = Date.now();
  if (status === "running" && now - saidAt < sayMs) return;
  saidAt = now;
  setText("#progress-said", status === "running" ? words : `Run ${status}: ${words}`);
}

/**
 * @param {string} selector
 * @param {string} text
 */
function setText(selector, text) {
  const element = document.querySelector(selector);
  if (element !== null && element.textContent !== text) element.textContent = text;
}
