import { readdir, readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import process from "node:process";
import type { run } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { listProcesses, type ProcessFacts } from "../src/agents/process-group.ts";

/** Limits of a run of tests, in milliseconds. */
export interface HangLimits {
  /** How long no test of a process may begin or end; more than any single test may take. */
  readonly silenceMs: number;
  /** How long a process may live on when none of its tests is left. */
  readonly exitMs: number;
  /** How long everything may take. */
  readonly totalMs: number;
}

interface Report {
  readonly javascriptStack?: { readonly stack?: readonly string[] };
  readonly libuv: readonly {
    readonly type: string;
    readonly is_active?: boolean;
    readonly is_referenced?: boolean;
    readonly [detail: string]: unknown;
  }[];
}

// Of a handle: an address of a socket, the number of a child process, the time until a timer fires.
const detailsShown = ["localEndpoint", "remoteEndpoint", "host", "port", "pid", "fd", "firesInMsFromNow", "filename"];

/** Arguments of Node with which a test process tells at SIGUSR2, in a file, what it waits for. */
export function reportOptions(folder: string): string[] {
  return [
    "--report-on-signal",
    "--report-signal=SIGUSR2",
    "--report-compact",
    "--report-exclude-network",
    "--report-exclude-env",
    `--report-directory=${folder}`,
  ];
}

/**
 * Ends test processes that hang, with all that they started, and writes to standard error what they waited for. What such a process
 * had still to do counts as failed; the others go on. When everything takes too long, or is told to end, all are ended so.
 *
 * @param groups - the file that each process was started with
 * @param folder - where the processes write their reports
 */
export function watchForHangs(
  events: ReturnType<typeof run>,
  groups: readonly string[],
  folder: string,
  { silenceMs, exitMs, totalMs }: HangLimits,
): { stop(): void } {
  const running = new Map<string, RunningGroup>();
  const onEvent = (test: TestPlace, isOver: boolean): void => {
    const name = test.entryFile ?? test.name;
    if (!groups.includes(name)) return;
    if (test.name === name && isOver) {
      clearTimeout(running.get(name)?.timer);
      running.delete(name);
      return;
    }
    const group = running.get(name) ?? { open: new Map<string, string>(), last: undefined, timer: undefined };
    running.set(name, group);
    const title = `${test.name} (${relative(process.cwd(), test.file ?? "")}:${test.line})`;
    if (isOver) {
      group.open.delete(keyOf(test));
      group.last = title;
    } else if (test.name !== name) group.open.set(keyOf(test), title);
    // A process that loads its files has no test yet: that is silence, not its end.
    const isAtItsEnd = group.open.size === 0 && group.last !== undefined;
    const limitMs = isAtItsEnd ? exitMs : silenceMs;
    clearTimeout(group.timer);
    group.timer = setTimeout(() => void end(`Nothing happened for ${limitMs / 1000} s.`, [name]), limitMs);
  };
  const end = async (why: string, names: readonly string[]): Promise<void> => {
    console.error(`\n${why}`);
    for (const name of names) {
      const { open = new Map<string, string>(), last = "none" } = running.get(name) ?? {};
      console.error(`${basename(name)}: the last test that ended is ${last}`);
      for (const title of open.values()) console.error(`  not ended: ${title}`);
    }
    await endProcesses(folder, names);
  };
  const endAll = async (why: string): Promise<void> => {
    await end(why, [...running.keys()]);
    process.exit(1);
  };
  const total = setTimeout(() => void endAll(`The tests took longer than ${totalMs / 1000} s.`), totalMs);
  const onSignal = (signal: NodeJS.Signals): void => void endAll(`The tests were ended by ${signal}.`);
  process.once("SIGTERM", onSignal).once("SIGINT", onSignal);
  events.on("test:dequeue", (test) => onEvent(test, false));
  events.on("test:complete", (test) => onEvent(test, true));
  return {
    stop: () => {
      clearTimeout(total);
      process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
    },
  };
}

interface RunningGroup {
  /** Tests and suites that have begun and not ended. */
  readonly open: Map<string, string>;
  last: string | undefined;
  timer: NodeJS.Timeout | undefined;
}

interface TestPlace {
  readonly name: string;
  /** What the process of the test was started with; absent of the process itself. */
  readonly entryFile?: string;
  readonly nesting: number;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

const keyOf = ({ name, nesting, file, line, column }: TestPlace): string =>
  [file, line, column, nesting, name].join(" ");

/** Tells what test processes wait for, and ends them with all that they started. */
async function endProcesses(folder: string, names: readonly string[]): Promise<void> {
  const processes = await listProcesses();
  const tests = processes.filter(
    ({ parent, command }) => parent === process.pid && names.some((name) => command.endsWith(name)),
  );
  for (const { pid } of tests) process.kill(pid, "SIGUSR2");
  for (const { pid, command } of tests) {
    console.error(`\nProcess ${pid}, ${command.split(" ").at(-1)}, waits for:`);
    for (const line of await readReport(folder, pid)) console.error(`  ${line}`);
    for (const child of descendants(processes, pid))
      console.error(`  process ${child.pid}: ${child.command.slice(0, 200)}`);
  }
  for (const { pid } of tests) {
    for (const one of [...descendants(processes, pid), { pid }]) {
      try {
        process.kill(one.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

function descendants(processes: readonly ProcessFacts[], pid: number): readonly ProcessFacts[] {
  return processes
    .filter(({ parent }) => parent === pid)
    .flatMap((child) => [child, ...descendants(processes, child.pid)]);
}

/** Where the code of a process is, and the handles that keep it alive. */
async function readReport(folder: string, pid: number): Promise<readonly string[]> {
  for (let tries = 0; tries < 300; tries += 1) {
    await wait(100);
    const name = (await readdir(folder)).find((file) => file.startsWith("report.") && file.includes(`.${pid}.`));
    const text = name === undefined ? "" : await readFile(join(folder, name), "utf8");
    if (!text.trimEnd().endsWith("}")) continue;
    const { javascriptStack, libuv } = JSON.parse(text) as Report;
    const stack = (javascriptStack?.stack ?? []).filter((line) => line.includes("file://"));
    const handles = libuv.filter((handle) => handle.is_active === true && handle.is_referenced === true);
    return [...stack, ...handles.map((handle) => JSON.stringify(handle, ["type", ...detailsShown]))];
  }
  return ["its own code: it does not answer"];
}
