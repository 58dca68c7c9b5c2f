import { stripVTControlCharacters } from "node:util";
import { messageOf, RowcallError } from "../../core/errors.ts";

/** What Playwright threw, with one of our codes; steps turn what they expect into errors of their own before. */
export function asRowcallError(thrown: unknown): RowcallError {
  if (thrown instanceof RowcallError) return thrown;
  const text = stripVTControlCharacters(messageOf(thrown));
  if (meansGone(thrown)) {
    return new RowcallError("BROWSER_CRASHED", "The page or the browser was closed while the row was under way", {
      hint: "The next attempt gets a fresh page; if it happens often, lower max_concurrency or give the machine more memory.",
      cause: thrown,
    });
  }
  // Playwright begins with the name of its method and adds a log of its calls.
  const said = (text.split("\n")[0] ?? text).replace(/^[A-Za-z]+\.[A-Za-z]+: /, "").trim();
  return new RowcallError("STEP_FAILED", `The browser failed: ${said}`, {
    hint: "Look at the recording.",
    cause: thrown,
  });
}

const goneWords =
  /has been closed|(?:page|target|browser) crashed|(?:target|session|browser|connection) closed|has disconnected|already detached|failed to (?:find browser context|open a new tab)/i;

/** Whether an error of Playwright's says that the page, its context or the browser is gone. */
export function meansGone(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === "TargetClosedError" || goneWords.test(thrown.message));
}
