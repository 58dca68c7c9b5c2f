import { randomUUID } from "node:crypto";
import type { Page } from "playwright-core";
import { RowcallError, messageOf } from "../../core/errors.ts";
import { createExtractor } from "./in-page/extractor.ts";
import { createFinder } from "./in-page/finder.ts";
import { createHands } from "./in-page/hands.ts";
import { perform } from "./in-page/perform.ts";
import type { PageAnswer, PageTask } from "./in-page/protocol.ts";
import { createTableReader } from "./in-page/table-reader.ts";
import { textTools } from "./in-page/text-tools.ts";

// One script with everything in it, so that a step is one round trip. Each part gets what it needs as arguments, so that
// a bundler that renames functions cannot tear them apart.
const script = `((command) => {
  const text = (${String(textTools)})();
  const finder = (${String(createFinder)})(text);
  const hands = (${String(createHands)})(text, finder);
  const extract = (${String(createExtractor)})(text, finder, (${String(createTableReader)})(text), hands);
  return (${String(perform)})(command, text, finder, hands, extract);
})`;

// Reading the script takes a page several milliseconds, so each page keeps it, under a name that it cannot know.
const place = JSON.stringify(`rowcall ${randomUUID()}`);
const keep = `Object.defineProperty(globalThis, ${place}, { value: ${script}, configurable: true })[${place}]`;

/**
 * Has the page do a task as soon as it can, across navigations.
 *
 * @param timeoutMs - how long the page may wait for it
 * @throws RowcallError BROWSER_CRASHED when the page is gone, STEP_FAILED when its script cannot run
 */
export async function askPage(page: Page, task: PageTask, timeoutMs: number): Promise<PageAnswer> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const remainingMs = Math.max(0, deadline - performance.now());
    const command = JSON.stringify({ task, timeoutMs: remainingMs });
    try {
      const answer = await page.evaluate<PageAnswer | null>(`globalThis[${place}]?.(${command}) ?? null`);
      return answer ?? (await page.evaluate<PageAnswer>(`${keep}(${command})`));
    } catch (thrown) {
      if (!isNavigation(thrown) || remainingMs === 0) throw pageFailed(page, thrown);
    }
  }
}

/** The page went elsewhere while it was asked: the same question goes to the next page. */
function isNavigation(thrown: unknown): boolean {
  return /execution context was destroyed|cannot find context|frame was detached|navigating/i.test(messageOf(thrown));
}

function pageFailed(page: Page, cause: unknown): RowcallError {
  if (page.isClosed() || /crashed|has been closed|target closed/i.test(messageOf(cause))) {
    return new RowcallError("BROWSER_CRASHED", "The page was closed or crashed", {
      hint: "The row is tried again in a fresh browser page.",
      cause,
    });
  }
  return new RowcallError("STEP_FAILED", `The page could not be asked: ${messageOf(cause)}`, {
    hint: "Look at the recording.",
    cause,
  });
}
