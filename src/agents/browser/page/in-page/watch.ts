/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** Follows what an action sets off in the page by timers, until that is done. */
export interface Watch {
  /** An action begins. */
  begin(): void;
  /**
   * Waits for the timers that the action's handlers have set, and for what a changed address draws.
   *
   * @param all - an answer from the server has arrived meanwhile: nobody knows whose timers are set since then, so all count
   */
  quiet(limitMs: number, all: boolean): Promise<void>;
  /** Waits until the document is read, and, when it leaves by itself as it is loaded, for that. Returns false when time is up. */
  ready(limitMs: number, leavesAtLoad: boolean): Promise<boolean>;
}

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function createWatch(): Watch {
  /** Anything later than this after an action is no longer taken for its effect. */
  const soonMs = 1000;
  interface Timer {
    /** Milliseconds after the action at which it was meant to run. */
    readonly at: number;
    /** By `performance.now()`. */
    readonly due: number;
    missed: number;
  }
  const now = (): number => performance.now();
  const later = (run: () => void, delayMs: number): void => void setTimeout(run, delayMs);

  /** The action's timers, and those of somebody else in the page. */
  const own = new Map<number, Timer>();
  const others = new Map<number, Timer>();
  let installed: (() => void) | undefined;
  let href = "";
  /** Milliseconds after the action at which the running code was meant to run; undefined when it is not the action's. */
  let chain: number | undefined;

  /** One turn of the event loop: what is posted already comes first. */
  const hop = (): Promise<void> =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", () => {
        port1.close();
        resolve();
      });
      port1.start();
      port2.postMessage(0);
    });

  /** From here to the next turn, what runs is the action's: a handler, and what follows it at once. */
  const act = (at: number): void => {
    if (chain === undefined) void hop().then(() => (chain = undefined));
    chain = at;
  };
  const onEvent = (): void => act(0);

  const note = (id: number, delayMs: number): void => {
    // Meant times, not the clock's: a slow machine must not cut the chain. A timer without a delay counts a little, so that it ends.
    const at = (chain ?? 0) + Math.max(4, delayMs);
    if (at <= soonMs) (chain === undefined ? others : own).set(id, { at, due: now() + delayMs, missed: 0 });
  };
  const forget = (id: number): void => {
    own.delete(id);
    others.delete(id);
  };

  type Callback = (...args: unknown[]) => unknown;
  /** The callback that says when it has run. */
  const told = (callback: Callback, idOf: () => number): Callback =>
    function (this: unknown, ...args) {
      const timer = own.get(idOf());
      if (timer !== undefined) act(timer.at);
      forget(idOf());
      return callback.apply(this, args);
    };

  // Proxies, because pages may look at what a function of the browser's says of itself.
  const onSet = (target: Callback, self: unknown, args: unknown[]): unknown => {
    const [callback, given] = args;
    const delayMs = Math.max(0, Number(given) || 0);
    let id = 0;
    const run = typeof callback === "function" ? told(callback as Callback, () => id) : callback;
    id = Reflect.apply(target, self, [run, ...args.slice(1)]) as number;
    note(id, delayMs);
    // Program text cannot be wrapped; a timer after it comes after it.
    if (typeof callback !== "function") Reflect.apply(target, self, [() => forget(id), delayMs]);
    return id;
  };
  const onClear = (target: Callback, self: unknown, args: unknown[]): unknown => {
    forget(Number(args[0]));
    return Reflect.apply(target, self, args);
  };

  const install = (): (() => void) => {
    const before = { setTimeout: window.setTimeout, clearTimeout: window.clearTimeout };
    const mine = {
      setTimeout: new Proxy(before.setTimeout as unknown as Callback, { apply: onSet }),
      clearTimeout: new Proxy(before.clearTimeout as unknown as Callback, { apply: onClear }),
    };
    Object.assign(window, mine);
    const types =
      "pointerdown pointerup mousedown mouseup click keydown keyup beforeinput input change submit focusin focusout";
    for (const type of types.split(" ")) addEventListener(type, onEvent, true);
    return () => {
      for (const type of types.split(" ")) removeEventListener(type, onEvent, true);
      // Who wrapped ours meanwhile keeps it.
      if ((window.setTimeout as unknown) === mine.setTimeout) window.setTimeout = before.setTimeout;
      if ((window.clearTimeout as unknown) === mine.clearTimeout) window.clearTimeout = before.clearTimeout;
    };
  };

  const frame = (): Promise<void> =>
    new Promise((resolve) => {
      requestAnimationFrame(() => resolve());
      // A page that is not shown draws nothing.
      later(resolve, 100);
    });

  const leavesSoon = (): boolean => {
    if (window.onload !== null) return true;
    return [...document.querySelectorAll<HTMLMetaElement>('meta[http-equiv="refresh" i]')].some((meta) => {
      const [, seconds = "", address = ""] =
        /^\s*([\d.]+)\s*[;,\s]\s*(?:url\s*=\s*)?['"]?([^'"]*)/i.exec(meta.content) ?? [];
      return (
        address !== "" &&
        Number(seconds) * 1000 <= soonMs &&
        URL.parse(address, document.baseURI)?.href !== location.href
      );
    });
  };

  return {
    begin() {
      installed ??= install();
      own.clear();
      others.clear();
      href = location.href;
    },

    async quiet(limitMs, all) {
      if (installed === undefined) return;
      const until = now() + limitMs;
      await hop();
      if (all) for (const [id, timer] of others) own.set(id, timer);
      while (own.size > 0 && now() < until) {
        const due = Math.min(...[...own.values()].map((timer) => timer.due));
        await new Promise<void>((resolve) => later(resolve, Math.max(10, due - now())));
        await hop();
        for (const [id, timer] of own) {
          if (timer.due < now()) timer.missed += 1;
          // Stopped in a way that cannot be seen here: ours was set later, for later, and has run.
          if (timer.missed > 5) own.delete(id);
        }
      }
      if (location.href !== href) {
        // The address was changed by script: what belongs to it is drawn by the second frame.
        await frame();
        await frame();
      }
      installed();
      installed = undefined;
      // The browser closes the tab a moment after the page has said so.
      if (window.closed) await new Promise<void>((resolve) => later(resolve, Math.max(0, until - now())));
    },

    async ready(limitMs, leavesAtLoad) {
      // A document that is written to by its own script says "loading" again, and may never say anything else.
      const isRead = (): boolean => {
        const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
        return document.readyState !== "loading" || (entry?.domContentLoadedEventStart ?? 0) > 0;
      };
      const once = (target: EventTarget, type: string, mostMs: number): Promise<void> =>
        new Promise((resolve) => {
          target.addEventListener(type, () => resolve(), { once: true });
          later(resolve, mostMs);
        });
      if (document.readyState === "complete") return true;
      if (!isRead()) await once(document, "DOMContentLoaded", limitMs);
      if (!isRead()) return false;
      if (document.readyState === "interactive" && (leavesAtLoad || leavesSoon())) {
        await once(window, "load", Math.min(limitMs, soonMs));
        await hop();
      }
      return true;
    },
  };
}
