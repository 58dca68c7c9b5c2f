import uPlot from "./uplot.js";

/**
 * Draws rows per second over time into an element, and draws again when there is more or the element changes its width.
 *
 * @param {HTMLElement} place
 * @returns {{ set(at: readonly number[], perSecond: readonly number[]): void }}
 */
export function drawRate(place) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chart;
  let data = [[], []];
  const draw = () => {
    chart?.destroy();
    chart = undefined;
    if (data[0].length === 0) return;
    place.replaceChildren();
    chart = new uPlot(options(place), data, place);
  };
  dark.addEventListener("change", draw);
  new ResizeObserver(() => chart?.setSize(size(place))).observe(place);
  return {
    set(at, perSecond) {
      data = [at, perSecond];
      if (chart === undefined) draw();
      else chart.setData(data);
    },
  };
}

/** @param {HTMLElement} place */
function options(place) {
  // A canvas knows no variables: what one comes to is asked of an element that has it.
  const color = (name) => {
    place.style.color = `var(${name})`;
    return getComputedStyle(place).color;
  };
  const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  return {
    ...size(place),
    legend: { show: false },
    cursor: { y: false },
    scales: { y: { range: (_, _low, high) => [0, Math.max(high * 1.1, 0.1)] } },
    axes: [
      { ...axis, space: 90, values: (_, ticks) => ticks.map(clock) },
      { ...axis, size: 46 },
    ],
    series: [
      {},
      {
        stroke: color("--accent"),
        fill: color("--accent-soft"),
        width: 2,
        points: { show: false },
        label: "Rows per second",
      },
    ],
  };
}

/** @param {number} seconds - since 1970 */
function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

/** @param {HTMLElement} place */
function size(place) {
  return { width: Math.max(place.clientWidth, 160), height: place.clientHeight };
}
