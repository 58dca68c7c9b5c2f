import { stripVTControlCharacters } from "node:util";
import type { StepRecord } from "../../core/attempt.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";

/**
 * What Playwright threw, in plain words with one of our codes; anything unknown counts as a failed step.
 *
 * @param steps - what was done before, the failed step last
 */
export function asRowcallError(thrown: unknown, steps: readonly StepRecord[]): RowcallError {
  if (thrown instanceof RowcallError) return thrown;
  const text = stripVTControlCharacters(messageOf(thrown));
  if (/has been closed|page crashed|target crashed|browser has disconnected/i.test(text)) {
    return new RowcallError("BROWSER_CRASHED", "The page or the browser was closed while the row was under way", {
      hint: "The next attempt gets a fresh page; if it happens often, lower max_concurrency or give the machine more memory.",
      cause: thrown,
    });
  }
  const failed = steps.findLast((step) => step.status === "failed")?.name;
  const step = failed === undefined ? "A step" : `Step ${failed}`;
  if (thrown instanceof Error && thrown.name === "TimeoutError") {
    const limit = /Timeout (\d+)ms exceeded/.exec(text)?.[1];
    const locator = /waiting for (.+)/.exec(text)?.[1];
    const waited = limit === undefined ? "in time" : `within ${Number(limit) / 1000} s`;
    return new RowcallError("STEP_FAILED", `${step} did not finish ${waited}${locator === undefined ? "" : `: waiting for ${locator}`}`, {
      hint: "Look at the failure's screenshot: the page may have changed, or be slower than the step's timeout.",
      cause: thrown,
    });
  }
  return new RowcallError("STEP_FAILED", `${step} failed: ${firstLine(text)}`, {
    hint: "Look at the failure's screenshot and the template's step.",
    cause: thrown,
  });
}

/** Playwright begins with the name of its method and adds a log of its calls. */
function firstLine(text: string): string {
  return (text.split("\n")[0] ?? text).replace(/^[A-Za-z]+\.[A-Za-z]+: /, "").trim();
}
