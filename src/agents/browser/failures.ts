import { stripVTControlCharacters } from "node:util";
import { messageOf, RowcallError } from "../../core/errors.ts";

/** Turns an error of Playwright's into one of ours; steps turn the errors that they expect into their own before. */
export function asRowcallError(thrown: unknown): RowcallError {
  if (thrown instanceof RowcallError) return thrown;
  if (meansGone(thrown)) {
    return new RowcallError("BROWSER_CRASHED", "The page or the browser was closed while the row was in flight", {
      hint: "The next attempt gets a fresh page; if it happens often, lower max_concurrency or give the machine more memory.",
      cause: thrown,
    });
  }
  return new RowcallError("STEP_FAILED", `The browser failed: ${firstLine(thrown)}`, {
    hint: "Look at the recording.",
    cause: thrown,
  });
}

/** The error of a page that was asked for something and is gone. */
export function pageGone(cause: unknown): RowcallError {
  return new RowcallError("BROWSER_CRASHED", "The page was closed or crashed", {
    hint: "The row is tried again in a fresh browser page.",
    cause,
  });
}

/** Returns the first line of an error of Playwright's, without the name of its method; a log of its calls follows. */
export function firstLine(thrown: unknown): string {
  const [first = ""] = stripVTControlCharacters(messageOf(thrown)).split("\n");
  return first.replace(/^[A-Za-z]+\.[A-Za-z]+: /, "").trim();
}

const goneWords =
  /has been closed|(?:page|target|browser) crashed|(?:target|session|browser|connection) closed|has disconnected|already detached|failed to (?:find browser context|open a new tab)/i;

/** Returns whether an error of Playwright's says that the page, its context or the browser is gone. */
export function meansGone(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === "TargetClosedError" || goneWords.test(thrown.message));
}
