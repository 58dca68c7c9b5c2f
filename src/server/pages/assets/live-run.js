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
let saidAt = -Infinity;
/** @type {number | undefined} */
let timer;

handleActions();
showChart();
if (live !== null) listen(new EventSource(live.dataset.events));

/** @param {EventSource} events */
function listen(events) {
  // A stream that is refused is not asked for again by itself.
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) setInterval(refreshSoon, refreshMs);
  });
  events.addEventListener("snapshot", (event) => JSON.parse(event.data).runs.forEach(onRun));
  events.addEventListener("run", (event) => onRun(JSON.parse(event.data).run));
  events.addEventListener("message", (event) => {
    const { message, hint } = JSON.parse(event.data);
    if (message !== undefined) say([message, hint].filter(Boolean).join(" "), true);
  });
}

/** @param {{ id: string, status: string, paused?: true, counts: Record<string, number> }} run */
function onRun({ id, status, paused, counts }) {
  if (id !== live.dataset.run) return;
  for (const name of ["succeeded", "failed", "inFlight", "pending"]) {
    setText(`[data-live="${name}"]`, number(counts[name]));
  }
  moveBar(counts);
  const done = counts.succeeded + counts.failed;
  if (done > 0) setText('[data-live="share"]', share(counts.succeeded, done));
  const words = `${number(done)} of ${number(counts.total)} rows done, ${number(counts.failed)} failed`;
  setText("#progress-sentence", words);
  const stands = status === "running" && paused === true ? "paused" : status;
  if (stands === live.dataset.status) {
    say(words, false);
    if (stands === "running") refreshSoon();
    return;
  }
  live.dataset.status = stands;
  say(`The run is ${stands}: ${words}`, true);
  void refreshNow();
}

/** @param {number} many */
function number(many) {
  return many.toLocaleString("en-GB");
}

/**
 * As the page itself writes it: rounding does not turn "nearly all" into "all".
 *
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  const percent = (100 * part) / whole;
  return `${Number((part < whole ? Math.min(percent, 99.9) : percent).toFixed(1))} %`;
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
 * Tells a screen reader, but not all the time.
 *
 * @param {string} words
 * @param {boolean} isNews
 */
function say(words, isNews) {
  const now = performance.now();
  if (!isNews && now - saidAt < sayMs) return;
  saidAt = now;
  setText("#progress-said", words);
}

/**
 * @param {string} selector
 * @param {string} text
 */
function setText(selector, text) {
  const element = document.querySelector(selector);
  if (element !== null && element.textContent !== text) element.textContent = text;
}
