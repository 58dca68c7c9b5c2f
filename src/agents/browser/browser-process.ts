import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { messageOf, RowcallError } from "../../core/errors.ts";
import type { ChromiumBinary } from "./chromium.ts";
import { makeScratchFolder, type ScratchFolder } from "./scratch-folder.ts";

/** A browser that runs. */
export interface BrowserProcess {
  readonly browser: Browser;
  /** Process id of the browser's main process. */
  readonly pid: number;
  /** Ends the process and everything below it, the hard way when it does not obey; safe to call twice. */
  end(): Promise<void>;
}

/** The name that requests to blocked hosts are sent to; it never resolves. */
export const nowhere = "nowhere.invalid";

const launchArguments = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--disable-domain-reliability",
  "--no-pings",
  "--mute-audio",
  `--host-resolver-rules=MAP ${nowhere} ^NOTFOUND`,
];

/** How long a browser may take to end by itself. */
const graceMs = 5_000;
/** How long to wait for its killed helpers to be gone; under an init that buries nobody they never are. */
const helpersMs = 100;

/**
 * Starts a browser process.
 *
 * @throws RowcallError BROWSER_CRASHED when it does not come up, DEPENDENCY_MISSING without playwright-core
 */
export async function launchBrowser(binary: ChromiumBinary): Promise<BrowserProcess> {
  // Chromium leaves a file behind in the temporary folder for one context in twenty, so it gets a folder of its own.
  const scratch = await makeScratchFolder();
  let browser: Browser | undefined;
  try {
    browser = await launchSandboxed(binary, scratch.path);
    const pid = await processId(browser);
    const end = endOnce(browser, pid, scratch);
    return { browser, pid, end };
  } catch (cause) {
    await browser?.close().catch(() => undefined);
    await scratch.remove();
    if (cause instanceof RowcallError) throw cause;
    throw new RowcallError(
      "BROWSER_CRASHED",
      `The browser ${binary.path} does not start: ${firstLines(messageOf(cause))}`,
      { hint: "Run rowcall doctor to see which browsers work here.", cause },
    );
  }
}

/** Root cannot use Chromium's sandbox at all; elsewhere a system may forbid it, which only starting it tells. */
async function launchSandboxed(binary: ChromiumBinary, temporary: string): Promise<Browser> {
  if (process.getuid?.() === 0) return launch(binary, temporary, false);
  try {
    return await launch(binary, temporary, true);
  } catch (thrown) {
    if (/sandbox/i.test(messageOf(thrown))) return launch(binary, temporary, false);
    throw thrown;
  }
}

async function launch(binary: ChromiumBinary, temporary: string, sandboxed: boolean): Promise<Browser> {
  const { chromium } = await import("playwright-core").catch((cause: unknown) => {
    throw new RowcallError("DEPENDENCY_MISSING", "The package playwright-core is not installed", {
      hint: "Run npm install playwright-core.",
      cause,
    });
  });
  return chromium.launch({
    executablePath: binary.path,
    args: launchArguments,
    chromiumSandbox: sandboxed,
    // The engine decides what a signal means: the first Ctrl-C lets rows finish, which needs a living browser.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    env: { ...process.env, ...binary.env, TMPDIR: temporary },
  });
}

async function processId(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.find((each) => each.type === "browser")?.id ?? 0;
}

function endOnce(browser: Browser, pid: number, scratch: ScratchFolder): () => Promise<void> {
  let ending: Promise<void> | undefined;
  return () => (ending ??= endBrowser(browser, pid).then(scratch.remove));
}

async function endBrowser(browser: Browser, pid: number): Promise<void> {
  const timer = setTimeout(() => kill(pid), graceMs);
  // Playwright's close waits for the process and takes the profile's folder away.
  await browser.close().catch(() => undefined);
  clearTimeout(timer);
  // Its helpers end a moment later by themselves, or not at all when the browser was killed.
  for (let waited = 0; kill(pid) && waited < helpersMs; waited += 10) await delay(10);
}

/** Kills what is left of a browser. Returns whether there was anything, dead processes that nobody has buried yet included. */
function kill(pid: number): boolean {
  try {
    // Playwright starts the browser as leader of its own process group, except on Windows.
    if (pid > 0) process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
    return pid > 0;
  } catch {
    return false;
  }
}

function firstLines(text: string): string {
  return text.split("\n").slice(0, 3).join(" ").trim();
}
