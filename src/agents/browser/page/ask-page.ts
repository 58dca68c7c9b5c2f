import { randomUUID } from "node:crypto";
import { messageOf, RowcallError } from "../../../core/errors.ts";
import { LateError } from "../../within.ts";
import { meansGone, pageGone } from "../failures.ts";
import { createExtractor } from "./in-page/extractor.ts";
import { createFinder } from "./in-page/finder.ts";
import { createHands } from "./in-page/hands.ts";
import { createNamer } from "./in-page/namer.ts";
import { createPageTree } from "./in-page/page-tree.ts";
import { perform } from "./in-page/perform.ts";
import type { PageAnswer, PageCommand, PageTask } from "./in-page/protocol.ts";
import { createTableReader } from "./in-page/table-reader.ts";
import { createTextTools } from "./in-page/text-tools.ts";
import { createWatch } from "./in-page/watch.ts";
import type { Tab } from "./tab.ts";

// One script with everything in it, so that a step is one round trip. Each part gets what it needs as arguments, so that
// a bundler that renames functions cannot tear them apart.
const script = `((watch) => (command) => {
  const tree = (${String(createPageTree)})();
  const text = (${String(createTextTools)})(tree);
  const namer = (${String(createNamer)})(tree, text);
  const finder = (${String(createFinder)})(tree, text, namer);
  const hands = (${String(createHands)})(tree, text, finder);
  const extract = (${String(createExtractor)})(text, finder, (${String(createTableReader)})(tree, text), hands);
  return (${String(perform)})(command, text, finder, hands, extract, watch);
})((${String(createWatch)})())`;

// Reading the script takes a page several milliseconds, so each page keeps it, under a name that it cannot know.
const place = JSON.stringify(`rowcall ${randomUUID()}`);
const keep = `Object.defineProperty(globalThis, ${place}, { value: ${script}, configurable: true })[${place}]`;

/** Limits for a page's answer, in milliseconds. */
export interface PageTimes {
  /** Until the task can be done. */
  readonly waitMs: number;
  /** Until there is a document that can be asked; the longer of both counts. */
  readonly limitMs: number;
}

/**
 * Has the page do a task as soon as it can, across navigations. The answer is that of the document which is shown: a document that
 * is being left is not asked, and what it has answered meanwhile does not count.
 *
 * @throws RowcallError BROWSER_CRASHED when the page is gone, PAGE_UNEXPECTED when its address could not be opened, STEP_FAILED
 *   when it does not arrive in time or its script cannot run
 */
export async function askPage(tab: Tab, task: PageTask, times: PageTimes): Promise<PageAnswer> {
  const startedAt = performance.now();
  const limit = startedAt + Math.max(times.limitMs, times.waitMs);
  for (;;) {
    await arrivePage(tab, limit - performance.now());
    const { document } = tab;
    try {
      const answer = await command(tab, task, startedAt + times.waitMs, limit);
      // What has been done in a document stays done when it is left because of that.
      if (answer.status === "done" && acts(task)) return answer;
      if (tab.document === document && tab.leavingFor === undefined) {
        if (answer.status !== "refused" || answer.kind !== "unread") return answer;
        const { why, shown } = answer;
        throw new RowcallError("STEP_FAILED", `The page ${shown.url} ${why} after ${seconds(limit - startedAt)}`, {
          hint: "Give the step more time with timeout_seconds.",
          details: { shown },
        });
      }
    } catch (thrown) {
      if (thrown instanceof RowcallError) throw thrown;
      if (thrown instanceof LateError && tab.leavingFor !== undefined) throw notArrived(tab, limit - startedAt);
      if (!isNavigation(thrown) || performance.now() >= limit) throw pageFailed(tab, thrown);
    }
  }
}

/**
 * Waits until all is done that an action has set off: its timers, its requests, and the page that they lead to. A page that has not
 * come when time is up is left to who asks next, who may have more time: nobody is answered before it is there.
 *
 * @throws RowcallError as `askPage`
 */
export async function settlePage(tab: Tab, limitMs: number): Promise<void> {
  const startedAt = performance.now();
  const limit = startedAt + limitMs;
  const { document } = tab;
  let all = false;
  for (;;) {
    if (!(await tab.arrive(limit))) return;
    await arrivePage(tab, 0);
    if (tab.document !== document || tab.page.isClosed()) return;
    try {
      await command(tab, { kind: "settle", all }, startedAt, limit);
    } catch (thrown) {
      if (tab.page.isClosed()) return;
      if (thrown instanceof LateError && tab.leavingFor !== undefined) return;
      if (!isNavigation(thrown) || performance.now() >= limit) throw pageFailed(tab, thrown);
      continue;
    }
    tab.counted();
    if (tab.leavingFor !== undefined) continue;
    if (!(await tab.answered(limit)) || performance.now() >= limit) return;
    all = true;
  }
}

/**
 * Waits for a document that can be asked: one that is there and stays.
 *
 * @throws RowcallError STEP_FAILED when it does not come in time, PAGE_UNEXPECTED when its address could not be opened
 */
export async function arrivePage(tab: Tab, limitMs: number): Promise<void> {
  if (!(await tab.arrive(performance.now() + limitMs))) throw notArrived(tab, limitMs);
  if (tab.unreachable === undefined) return;
  throw new RowcallError("PAGE_UNEXPECTED", `The page went to ${tab.unreachable}, which could not be opened`, {
    hint: "Check that the site can be reached from this machine.",
  });
}

function notArrived({ leavingFor }: Tab, limitMs: number): RowcallError {
  return late(`The page ${leavingFor} did not come within ${seconds(limitMs)}`);
}

/** The error of what a site did not bring in time. */
export function late(message: string): RowcallError {
  return new RowcallError("STEP_FAILED", message, {
    hint: "Give the step more time with timeout_seconds, or look at the site.",
  });
}

async function command(tab: Tab, task: PageTask, until: number, limit: number): Promise<PageAnswer> {
  const now = performance.now();
  const given: PageCommand = {
    task,
    timeoutMs: Math.max(0, until - now),
    limitMs: Math.max(0, limit - now),
    leavesAtLoad: tab.leavesAtLoad,
  };
  const json = JSON.stringify(given);
  const answer = await tab.evaluate<PageAnswer | null>(`globalThis[${place}]?.(${json}) ?? null`, limit);
  if (answer !== null) return answer;
  // A document that was never asked has nothing to settle.
  if (task.kind === "settle") return { status: "done", value: {} };
  return tab.evaluate<PageAnswer>(`${keep}(${json})`, limit);
}

function acts(task: PageTask): boolean {
  return ["fill", "select", "pick"].includes(task.kind);
}

/** The page went elsewhere while it was asked: the same question goes to the next page. */
function isNavigation(thrown: unknown): boolean {
  return /context was destroyed|cannot find context|navigated or closed|promise was collected|frame was detached/i.test(
    messageOf(thrown),
  );
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function pageFailed({ page }: Tab, cause: unknown): RowcallError {
  if (page.isClosed() || meansGone(cause)) return pageGone(cause);
  const why = cause instanceof LateError ? "it does not answer" : messageOf(cause);
  return new RowcallError("STEP_FAILED", `The page could not be asked: ${why}`, {
    hint: "Look at the recording.",
    cause,
  });
}
