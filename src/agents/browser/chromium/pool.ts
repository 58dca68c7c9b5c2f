import type { BrowserContext, BrowserContextOptions } from "playwright-core";
import { RowcallError } from "../../../core/errors.ts";
import { openTurns } from "../../turns.ts";
import { LateError, unlessAborted, within } from "../../within.ts";
import { answerMs, launchBrowser, type BrowserOptions, type BrowserProcess } from "./browser-process.ts";
import type { ChromiumBinary } from "./chromium.ts";
import { asRowcallError } from "../failures.ts";

/** Options for a pool. */
export interface BrowserPoolOptions extends BrowserOptions {
  readonly binary: ChromiumBinary;
  /** Contexts at once; more wait for their turn. */
  readonly concurrency: number;
  /** Contexts that one browser process serves before the next takes over; what is in flight in the old one ends there. @default 500 */
  readonly recycleAfterRows?: number;
  /** Told once, when the first browser runs without its sandbox, why it does. */
  onUnsandboxed?(why: string): void;
}

/** Waits for what a browser that is in order does at once, such as opening a page; one that does not is replaced. */
export type Promptly = <T>(work: Promise<T>) => Promise<T>;

/** One browser process with many isolated contexts. */
export interface BrowserPool {
  /**
   * Runs something in a fresh context, which is closed afterwards. It settles at once when the signal is aborted or the browser is
   * gone, whatever the work does.
   *
   * @throws RowcallError BROWSER_CRASHED when the browser ended meanwhile or does not answer; the signal's reason when it was
   * aborted; what the work threw, with one of our codes
   */
  withContext<T>(
    options: BrowserContextOptions,
    signal: AbortSignal,
    use: (context: BrowserContext, promptly: Promptly) => Promise<T>,
  ): Promise<T>;
  /** Allows so many contexts at once, if it was fewer before. */
  widen(concurrency: number): void;
  /** Process ids of the browsers that live. */
  readonly pids: readonly number[];
  /** Waits for what is in flight, but not for long, then ends every browser; safe to call twice. */
  close(): Promise<void>;
}

/** A browser process, from before its launch to after its end. */
interface Host {
  readonly launched: Promise<BrowserProcess>;
  pid: number;
  served: number;
  active: number;
  /** Rows in a row that failed in a way that another attempt may mend. */
  failures: number;
}

/** After so many failures without a success between them the browser itself is suspected. */
const maxFailures = 3;
/** Longest time that contexts in flight may hold up the end of a pool. */
const drainMs = 10_000;

/** Opens a pool; the browser starts when it is first needed. */
export function openBrowserPool(options: BrowserPoolOptions): BrowserPool {
  const { binary, concurrency, recycleAfterRows = 500, patienceMs = answerMs } = options;
  let toldUnsandboxed = false;
  const hosts = new Set<Host>();
  const turns = openTurns(concurrency);
  let current: Host | undefined;
  let closing: Promise<void> | undefined;

  function startHost(): Host {
    const launched = launchBrowser(binary, { ...options, patienceMs });
    const host: Host = { launched, pid: 0, served: 0, active: 0, failures: 0 };
    hosts.add(host);
    host.launched.then(
      ({ gone, pid, unsandboxed }) => {
        host.pid = pid;
        if (unsandboxed !== undefined && !toldUnsandboxed) options.onUnsandboxed?.(unsandboxed);
        toldUnsandboxed = true;
        gone.addEventListener("abort", () => retire(host), { once: true });
        if (gone.aborted) retire(host);
      },
      () => {
        retire(host);
        hosts.delete(host);
      },
    );
    return host;
  }

  /** Gives a browser no more rows; it ends when it has none. */
  function retire(host: Host): void {
    if (current === host) current = undefined;
    void endIfIdle(host);
  }

  async function endIfIdle(host: Host): Promise<void> {
    if (host.active === 0 && current !== host) await end(host);
  }

  async function end(host: Host): Promise<void> {
    const browserProcess = await host.launched.catch(() => undefined);
    await browserProcess?.end();
    hosts.delete(host);
  }

  function take(): Host {
    current ??= startHost();
    const host = current;
    host.active += 1;
    host.served += 1;
    if (host.served >= recycleAfterRows) retire(host);
    return host;
  }

  async function withContext<T>(
    contextOptions: BrowserContextOptions,
    signal: AbortSignal,
    use: (context: BrowserContext, promptly: Promptly) => Promise<T>,
  ): Promise<T> {
    if (closing !== undefined) throw new RowcallError("INTERRUPTED", "The agent was closed");
    const done = await turns.take(signal);
    const host = take();
    const promptly: Promptly = (work) =>
      within(work, patienceMs).catch((thrown: unknown) => {
        if (!(thrown instanceof LateError)) throw thrown;
        retire(host);
        throw stuck(patienceMs, thrown);
      });
    let opening: Promise<BrowserContext> | undefined;
    try {
      const { browser, gone } = await unlessAborted(host.launched, signal);
      opening = browser.newContext(contextOptions);
      const context = await unlessAborted(promptly(opening), signal, gone);
      const result = await unlessAborted(use(context, promptly), signal, gone);
      host.failures = 0;
      return result;
    } catch (thrown) {
      if (signal.aborted) {
        // Perhaps it is the browser that was too slow.
        if (signal.reason instanceof RowcallError && signal.reason.code === "TIMEOUT") retire(host);
        throw signal.reason;
      }
      const error = asRowcallError(thrown);
      if (error.retryable) host.failures += 1;
      if (host.failures >= maxFailures) retire(host);
      throw error;
    } finally {
      void closeContext(host, opening);
      done();
    }
  }

  // The next row does not wait until the context is gone; the end of the browser does.
  async function closeContext(host: Host, opening: Promise<BrowserContext> | undefined): Promise<void> {
    try {
      const { gone } = await host.launched;
      const closed = opening?.then((context) => context.close());
      if (closed !== undefined) await within(unlessAborted(closed, gone), patienceMs);
    } catch {
      retire(host);
    }
    host.active -= 1;
    await endIfIdle(host);
  }

  async function closeAll(): Promise<void> {
    await within(turns.allDone(), drainMs).catch(() => undefined);
    current = undefined;
    await Promise.all([...hosts].map(end));
  }

  return {
    withContext,
    widen: turns.widen,
    get pids() {
      return [...hosts].flatMap((host) => (host.pid > 0 ? [host.pid] : []));
    },
    close: () => (closing ??= closeAll()),
  };
}

function stuck(patienceMs: number, cause: unknown): RowcallError {
  return new RowcallError("BROWSER_CRASHED", `The browser opened no page within ${patienceMs / 1000} s`, {
    hint: "The next attempt gets a fresh browser; if it happens often, lower max_concurrency: the machine is too busy.",
    cause,
  });
}
