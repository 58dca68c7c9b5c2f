import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { messageOf, RowcallError } from "../../../core/errors.ts";
import { endGroup, hasExited, howEnded, killGroup } from "../../process-group.ts";
import { unlessAborted, within } from "../../within.ts";
import { browserEnvironment } from "./browser-environment.ts";
import type { ChromiumBinary } from "./chromium.ts";
import { firstLine } from "../failures.ts";
import { makeScratchFolder, type ScratchFolder } from "./scratch-folder.ts";

/** Options for starting a browser. */
export interface BrowserOptions {
  /** Address of the proxy that is the browser's only way out. @default none: it connects as it likes, for pages of our own */
  readonly proxyUrl?: string;
  /** True when a browser without its sandbox is an error. @default false */
  readonly requireSandbox?: boolean;
  /** Longest time without a sign of life. @default 30 seconds */
  readonly patienceMs?: number;
}

/** A browser that runs. */
export interface BrowserProcess {
  readonly browser: Browser;
  /** The reason that Chromium's sandbox is off; absent when it is on. */
  readonly unsandboxed?: string;
  /** Process id of the browser's main process. */
  readonly pid: number;
  /**
   * Aborted with a BROWSER_CRASHED as soon as the process has ended, or gives no sign of life and was killed. Whatever is asked of
   * the browser has to be raced with it: Playwright leaves some questions to a dead browser unanswered.
   */
  readonly gone: AbortSignal;
  /** Ends the process and everything below it, the hard way when it does not obey; safe to call twice, never rejects. */
  end(): Promise<void>;
}

/**
 * Time for what a healthy browser does at once: to answer a sign of life, to open or close a page. Wide,
 * for machines that are slow and busy.
 */
export const answerMs = 30_000;
/** Time for a browser to start. */
const startMs = 60_000;
/** Time for a browser to end by itself. */
const graceMs = 5_000;
/** Time for Playwright to tidy up after a browser that has ended. */
const tidyMs = 2_000;
/** Pause between two signs of life. */
const beatMs = 5_000;

/** Advice on giving Chromium its sandbox. */
export const sandboxHint =
  "Run rowcall as a user other than root, where the system allows user namespaces (docs/agents-browser.md, Sandbox).";

const launchArguments = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--disable-domain-reliability",
  "--no-pings",
  "--mute-audio",
];

/** Everything through the proxy, this machine's own addresses and what WebRTC does included; nothing is looked up for any of it. */
const onlyThrough = (proxyUrl: string): readonly string[] => [
  `--proxy-server=${proxyUrl}`,
  "--proxy-bypass-list=<-loopback>",
  `--host-resolver-rules=MAP * ^NOTFOUND, EXCLUDE ${new URL(proxyUrl).hostname}`,
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
];

/**
 * Starts a browser process.
 *
 * @throws RowcallError BROWSER_CRASHED when it does not come up, SANDBOX_MISSING when it must not come up without, DEPENDENCY_MISSING
 *   without playwright-core
 */
export async function launchBrowser(binary: ChromiumBinary, options: BrowserOptions = {}): Promise<BrowserProcess> {
  // Chromium leaves a file behind in the temporary folder for one context in twenty, so it gets a folder of its own.
  const scratch = await makeScratchFolder();
  const children = watchChildren(binary, scratch);
  const abandoned = new AbortController();
  try {
    const started = await within(launchSandboxed(binary, options, scratch.path, abandoned.signal), startMs);
    const child = children.latest();
    if (child?.pid === undefined) throw new Error("its process was not seen");
    return { ...started, ...watchOver(started.browser, child, scratch, options.patienceMs ?? answerMs) };
  } catch (cause) {
    abandoned.abort();
    const child = children.latest();
    // Told before it is killed, which is not why.
    const why = whyNot(cause, child);
    if (child !== undefined) await endGroup(child, () => killGroup(child.pid), 0);
    await scratch.remove();
    if (cause instanceof RowcallError) throw cause;
    throw new RowcallError("BROWSER_CRASHED", `The browser ${binary.path} does not start: ${why}`, {
      hint: "Run rowcall doctor to see which browsers work here.",
      cause,
    });
  } finally {
    children.stop();
  }
}

/** Sees the browser's process as soon as there is one: Playwright does not hand it out, and a browser that hangs must be ended too. */
function watchChildren(
  { path }: ChromiumBinary,
  scratch: ScratchFolder,
): { latest(): ChildProcess | undefined; stop(): void } {
  let latest: ChildProcess | undefined;
  const onChild = (message: unknown): void => {
    const { process: child } = message as { readonly process: ChildProcess };
    // It is told of just before it starts.
    process.nextTick(() => {
      if (!child.spawnargs?.includes(crashFolder(scratch.path))) return;
      latest = child;
      const profile = child.spawnargs.find((argument) => argument.startsWith(profileSwitch));
      if (child.pid !== undefined)
        scratch.note({ pid: child.pid, executable: path, profile: profile?.slice(profileSwitch.length) });
    });
  };
  subscribe("child_process", onChild);
  return { latest: () => latest, stop: () => void unsubscribe("child_process", onChild) };
}

const profileSwitch = "--user-data-dir=";
const crashFolder = (folder: string): string => `--crash-dumps-dir=${folder}`;

type Started = Pick<BrowserProcess, "browser" | "unsandboxed">;

/** Root cannot use Chromium's sandbox at all; elsewhere a system may forbid it, which only starting it tells. */
async function launchSandboxed(
  binary: ChromiumBinary,
  { proxyUrl, requireSandbox }: BrowserOptions,
  temporary: string,
  abandoned: AbortSignal,
): Promise<Started> {
  const { chromium } = await import("playwright-core").catch((cause: unknown) => {
    throw new RowcallError("DEPENDENCY_MISSING", "The package playwright-core is not installed", {
      hint: "Run npm install playwright-core.",
      cause,
    });
  });
  const launch = (chromiumSandbox: boolean): Promise<Browser> =>
    chromium.launch({
      executablePath: binary.path,
      args: [...launchArguments, ...(proxyUrl === undefined ? [] : onlyThrough(proxyUrl)), crashFolder(temporary)],
      artifactsDir: temporary,
      chromiumSandbox,
      // The engine decides what a signal means: the first Ctrl-C lets rows finish, which needs a living browser.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      env: { ...browserEnvironment(process.env), ...binary.env, TMPDIR: temporary },
    });
  const without = async (unsandboxed: string): Promise<Started> => {
    if (requireSandbox !== true) return { browser: await launch(false), unsandboxed };
    throw new RowcallError("SANDBOX_MISSING", `Chromium's sandbox is required, but it is off: ${unsandboxed}`, {
      hint: `${sandboxHint} Or leave out --require-sandbox and ROWCALL_REQUIRE_SANDBOX.`,
    });
  };
  if (process.getuid?.() === 0) return without("rowcall runs as root");
  try {
    return { browser: await launch(true) };
  } catch (thrown) {
    if (/sandbox/i.test(messageOf(thrown)) && !abandoned.aborted)
      return without("this system has no user namespaces for it");
    throw thrown;
  }
}

function watchOver(
  browser: Browser,
  child: ChildProcess,
  scratch: ScratchFolder,
  patienceMs: number,
): Omit<BrowserProcess, "unsandboxed"> {
  const gone = new AbortController();
  const giveUp = (message: string): void => {
    if (gone.signal.aborted) return;
    // Its helpers may not have noticed.
    killGroup(child.pid);
    gone.abort(new RowcallError("BROWSER_CRASHED", message, { hint: freshBrowser }));
  };
  const onExit = (): void => giveUp("The browser ended while the row was in flight");
  child.once("exit", onExit);
  browser.once("disconnected", onExit);
  if (hasExited(child) || !browser.isConnected()) onExit();
  keepBeating(browser, gone.signal, patienceMs).catch(() =>
    giveUp(`The browser gave no sign of life for ${patienceMs / 1000} s`),
  );
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    const closed = browser.close().catch(() => undefined);
    await endGroup(child, () => closed, gone.signal.aborted ? 0 : graceMs);
    onExit();
    await within(closed, tidyMs).catch(() => undefined);
    await scratch.remove();
  };
  return { browser, pid: child.pid ?? 0, gone: gone.signal, end: () => (ending ??= end()) };
}

const freshBrowser =
  "The next attempt gets a fresh browser; if it happens often, lower max_concurrency or give the machine more memory.";

/**
 * Asks the browser for signs of life: one of its main process, and one that it has to ask its network process for.
 *
 * @throws LateError when it gives none; something else when it is gone
 */
async function keepBeating(browser: Browser, gone: AbortSignal, patienceMs: number): Promise<void> {
  const ask = <T>(question: Promise<T>): Promise<T> => within(unlessAborted(question, gone), patienceMs);
  const session = await ask(browser.newBrowserCDPSession());
  while (!gone.aborted) {
    // An error is an answer too.
    await ask(session.send("Storage.getCookies").catch(() => undefined));
    await delay(beatMs, undefined, { ref: false, signal: gone });
  }
}

/** Returns why a browser did not start, in one line: Playwright adds its whole command line and everything that it printed. */
function whyNot(cause: unknown, child: ChildProcess | undefined): string {
  const printed = /\[pid=\d+\]\[err\] (.+)/.exec(messageOf(cause))?.[1];
  const ended = howEnded(child?.exitCode, child?.signalCode);
  const why = ended === undefined ? firstLine(cause) : `it ${ended}`;
  return (printed === undefined ? why : `${why}: ${printed}`).slice(0, 500);
}
