import type { Run, WaitingRows } from "../../core/run.ts";
import { colorsFor } from "../cli.ts";
import type { Io } from "../io.ts";
import { count, formatDuration, formatTime, oneLine } from "./output.ts";
import { forPeople, rawStream } from "./terminal.ts";

/** What a user sees while a run goes. */
export interface Progress {
  update(run: Run): void;
  /** Says something in between. */
  say(line: string): void;
  stop(): void;
}

/** How progress is shown: a bar, a line now and then, or not at all. */
export type ProgressStyle = "bar" | "lines" | "none";

const lineEveryMs = 5000;
const rateOverMs = 30_000;

/**
 * Opens the progress of one run on standard error; who opens it stops it.
 *
 * @param clock - milliseconds since any moment
 */
export async function openProgress(
  io: Io,
  style: ProgressStyle,
  clock: () => number = () => performance.now(),
): Promise<Progress> {
  const meter = createMeter(clock);
  if (style === "bar") return openBar(io, meter);
  return style === "lines"
    ? openLines(io, meter)
    : { update: () => {}, say: (line) => void io.stderr.write(`${line}\n`), stop: () => {} };
}

async function openBar(io: Io, meter: Meter): Promise<Progress> {
  const { SingleBar } = await import("cli-progress");
  const colors = colorsFor(io, io.stderr);
  const bar = new SingleBar({
    format: `${forPeople(colors.cyan("{bar}"))} {text}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    fps: 8,
    stream: rawStream(io.stderr),
    hideCursor: true,
    forceRedraw: true,
    emptyOnZero: true,
    gracefulExit: false,
  });
  let started = false;
  return {
    update: (run) => {
      const { total, succeeded, failed } = run.counts;
      meter.note(succeeded + failed);
      const payload = { text: forPeople(describeCounts(run, meter)) };
      if (started) bar.update(succeeded + failed, payload);
      else bar.start(total, succeeded + failed, payload);
      started = true;
    },
    say: (line) => void rawStream(io.stderr).write(`${started ? "\r\u001b[K" : ""}${forPeople(line)}\n`),
    stop: () => {
      bar.stop();
      started = false;
    },
  };
}

function openLines(io: Io, meter: Meter): Progress {
  let newest: Run | undefined;
  const timer = setInterval(() => {
    if (newest === undefined) return;
    meter.note(newest.counts.succeeded + newest.counts.failed);
    io.stderr.write(`${describeCounts(newest, meter)}\n`);
  }, lineEveryMs);
  timer.unref();
  return {
    update: (run) => {
      if (newest === undefined) meter.note(run.counts.succeeded + run.counts.failed);
      newest = run;
    },
    say: (line) => void io.stderr.write(`${line}\n`),
    stop: () => clearInterval(timer),
  };
}

/** How fast rows are decided. */
export interface Meter {
  /** @param done - rows decided so far */
  note(done: number): void;
  /** Rows per second of late; undefined until there is something to tell. */
  rate(): number | undefined;
}

/** Creates a meter over the last half minute. */
export function createMeter(clock: () => number): Meter {
  let samples: { readonly at: number; readonly done: number }[] = [];
  return {
    note: (done) => {
      const at = clock();
      samples = [...samples.filter((sample) => at - sample.at <= rateOverMs), { at, done }];
    },
    rate: () => {
      const [first, last] = [samples[0], samples.at(-1)];
      if (first === undefined || last === undefined || last.at === first.at || last.done === first.done)
        return undefined;
      return ((last.done - first.done) * 1000) / (last.at - first.at);
    },
  };
}

/** One line: done of total, failed, in flight, rows per second, time left, what waits. */
export function describeCounts({ counts, workers, createdAt, waiting }: Run, meter: Meter): string {
  const { total, succeeded, failed, inFlight } = counts;
  // While nothing but waits is left, the rate of before tells nothing.
  const rate = waiting !== undefined && inFlight === 0 ? undefined : meter.rate();
  const left = rate === undefined ? undefined : ((total - succeeded - failed) * 1000) / rate;
  return [
    `${succeeded + failed}/${count(total, "row")}`,
    `${failed} failed`,
    `${inFlight} in flight`,
    ...(workers === undefined ? [] : [workers === 0 ? "no worker online" : count(workers, "worker")]),
    ...(rate === undefined ? [] : [`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} rows/s`]),
    ...(left === undefined || left === 0 ? [] : [`${formatDuration(left)} left`]),
    ...(waiting === undefined ? [] : [describeWaiting(waiting, createdAt)]),
  ].join(", ");
}

/**
 * Rows that wait for their next attempt, in short: `1 waiting until 20:57:00Z: 429 from host`.
 *
 * @param createdAt - of the run; a wait that ends on another day has its date
 */
export function describeWaiting({ rows, until, code, message }: WaitingRows, createdAt: number): string {
  const due = formatTime(until);
  const [day = "", time = due] = due.split(" ");
  const shown = formatTime(createdAt).startsWith(day) ? time : due;
  const when = rows === 1 ? ` until ${shown}` : `, next at ${shown}`;
  return `${rows.toLocaleString("en-GB")} waiting${when}: ${shortenMiddle(message === "" ? code : message)}`;
}

// Of `GET` with a long address `answered 429` both ends tell something.
function shortenMiddle(text: string): string {
  const line = oneLine(text);
  return line.length <= 60 ? line : `${line.slice(0, 27)}…${line.slice(-32)}`;
}

/** One line of a run that starts: id, rows, agent. */
export function describeStart({ id, name, agent, counts }: Run): string {
  const done = counts.succeeded + counts.failed;
  const before = done === 0 ? "" : `, ${done.toLocaleString("en-GB")} of them done`;
  return `Run ${id}${name === undefined ? "" : ` (${name})`}: ${count(counts.total, "row")}${before}, agent ${agent}`;
}
