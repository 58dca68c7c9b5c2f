import type { BrowserContext, BrowserContextOptions } from "playwright-core";
import { RowcallError } from "../../core/errors.ts";
import { launchBrowser, type BrowserProcess } from "./browser-process.ts";
import type { ChromiumBinary } from "./chromium.ts";

/** How a pool works. */
export interface BrowserPoolOptions {
  readonly binary: ChromiumBinary;
  /** Contexts at once; more wait for their turn. */
  readonly concurrency: number;
  /**
   * Contexts that one browser process serves before the next process takes over; what is under way in the old one ends there.
   *
   * @default 500
   */
  readonly recycleAfterRows?: number | undefined;
}

/** One browser process with many isolated contexts. */
export interface BrowserPool {
  /**
   * Runs something in a fresh context, which is closed afterwards, and at once when the signal is aborted.
   *
   * @throws RowcallError BROWSER_CRASHED when the browser ended meanwhile; the signal's reason when it was aborted
   */
  withContext<T>(
    options: BrowserContextOptions,
    signal: AbortSignal,
    use: (context: BrowserContext) => Promise<T>,
  ): Promise<T>;
  /** Allows so many contexts at once, if it was fewer before. */
  widen(concurrency: number): void;
  /** Process ids of the browsers that live. */
  readonly pids: readonly number[];
  /** Waits for what is under way, then ends every browser; safe to call twice. */
  close(): Promise<void>;
}

/** A browser process, from before its launch to after its end. */
interface Host {
  readonly launched: Promise<BrowserProcess>;
  pid: number;
  served: number;
  active: number;
}

/** Opens a pool; the browser starts when it is first needed. */
export function openBrowserPool(options: BrowserPoolOptions): BrowserPool {
  const { binary, concurrency, recycleAfterRows = 500 } = options;
  const hosts = new Set<Host>();
  const turns = openTurns(concurrency);
  let current: Host | undefined;
  let closing: Promise<void> | undefined;

  function startHost(): Host {
    const host: Host = { launched: launchBrowser(binary), pid: 0, served: 0, active: 0 };
    hosts.add(host);
    host.launched.then(
      ({ browser, pid }) => {
        host.pid = pid;
        browser.once("disconnected", () => retire(host));
        if (!browser.isConnected()) retire(host);
      },
      () => {
        retire(host);
        hosts.delete(host);
      },
    );
    return host;
  }

  function retire(host: Host): void {
    if (current === host) current = undefined;
    void endIfIdle(host);
  }

  async function endIfIdle(host: Host): Promise<void> {
    if (host.active > 0 || current === host) return;
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
    use: (context: BrowserContext) => Promise<T>,
  ): Promise<T> {
    if (closing !== undefined) throw new RowcallError("INTERRUPTED", "The agent was closed");
    const done = await turns.take(signal);
    const host = take();
    let context: BrowserContext | undefined;
    const closeContext = async (): Promise<void> => context?.close().catch(() => undefined);
    const onAbort = (): void => void closeContext();
    try {
      const { browser } = await host.launched;
      signal.throwIfAborted();
      context = await browser.newContext(contextOptions);
      signal.addEventListener("abort", onAbort, { once: true });
      signal.throwIfAborted();
      return await use(context);
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof RowcallError) throw thrown;
      const { browser } = await host.launched;
      if (browser.isConnected()) throw thrown;
      throw new RowcallError("BROWSER_CRASHED", "The browser ended while the row was under way", {
        hint: "The next attempt gets a fresh browser; if it happens often, lower max_concurrency or give the machine more memory.",
        cause: thrown,
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      // The next row does not wait until the context is gone; close() does.
      void closeContext().then(() => {
        host.active -= 1;
        return endIfIdle(host);
      });
      done();
    }
  }

  async function closeAll(): Promise<void> {
    await turns.allDone();
    current = undefined;
    await Promise.all(
      [...hosts].map(async (host) => {
        const browserProcess = await host.launched.catch(() => undefined);
        await browserProcess?.end();
      }),
    );
    hosts.clear();
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

interface Turns {
  /** Waits for a turn; the returned function gives it back. */
  take(signal: AbortSignal): Promise<() => void>;
  /** Has so many turns, if it had fewer before. */
  widen(limit: number): void;
  /** Resolves when nobody has a turn any more. */
  allDone(): Promise<void>;
}

function openTurns(atFirst: number): Turns {
  let limit = atFirst;
  const waiting: (() => void)[] = [];
  const idle: (() => void)[] = [];
  let taken = 0;
  const giveBack = (): void => {
    const next = waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    taken -= 1;
    if (taken === 0) for (const resolve of idle.splice(0)) resolve();
  };
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (taken < limit) {
        taken += 1;
        return giveBack;
      }
      await new Promise<void>((resolve, reject) => {
        const onTurn = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        };
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(onTurn), 1);
          reject(signal.reason as Error);
        };
        waiting.push(onTurn);
        signal.addEventListener("abort", onAbort, { once: true });
      });
      return giveBack;
    },
    widen(most) {
      limit = Math.max(limit, most);
      for (; taken < limit && waiting.length > 0; taken += 1) waiting.shift()?.();
    },
    allDone: () => (taken === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}
