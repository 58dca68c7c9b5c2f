import type { Response } from "playwright-core";
import { messageOf, RowcallError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { askPage } from "./ask-page.ts";
import { render } from "./rendering.ts";
import { describeShown, label } from "./step-words.ts";
import type { PlainStep, Step } from "./steps.ts";
import type { Tabs } from "./tabs.ts";

type GotoStep = Extract<Step, { readonly action: "goto" }>;

/** What decides which addresses can be opened, and knows why one could not. */
export interface WayOut {
  /** @throws RowcallError HOST_BLOCKED */
  admit(url: string): void;
  /** Why the host of an address could not be reached, in words; undefined when it was. */
  whyUnreachable(url: string): string | undefined;
}

interface GotoContext {
  readonly tabs: Tabs;
  readonly scope: JsonObject;
  readonly wayOut?: WayOut | undefined;
}

/**
 * Opens an address; a relative one is read as a link on the page would be. Nothing but a web page of an allowed host is asked of the
 * browser, wherever the address comes from.
 *
 * @throws RowcallError PAGE_UNEXPECTED when it cannot be opened or answers with an error, HOST_BLOCKED when it is no web page or its
 *   host is not allowed
 */
export async function goTo(step: GotoStep, { tabs, scope, wayOut }: GotoContext, limitMs: number): Promise<object> {
  const { page } = tabs.current;
  const given = render(step.url, scope).trim();
  const url = webAddress(step, given, URL.canParse(given) ? undefined : await baseOf(tabs, limitMs), scope);
  wayOut?.admit(url);
  let response: Response | null;
  try {
    response = await page.goto(url, { waitUntil: step.wait_until, timeout: limitMs });
  } catch (thrown) {
    // The page leads on before it is read itself; whoever asks next waits for where it leads.
    if (/interrupted by another navigation/i.test(messageOf(thrown))) return {};
    throw notOpened(url, page.isClosed(), wayOut?.whyUnreachable(url), thrown);
  }
  if (response === null || response.status() < 400) return {};
  const answer = await askPage(tabs.current, { kind: "conditions", named: [] }, { waitMs: 0, limitMs });
  const shown = answer.status === "refused" ? `; ${describeShown(answer.shown)}` : "";
  throw new RowcallError("PAGE_UNEXPECTED", `${url} answered with status ${response.status()}${shown}`, {
    hint: "Open the address by hand, or try again later.",
    details: { status: response.status() },
  });
}

/** Where relative addresses start from: the page, or what it says itself. */
async function baseOf({ current }: Tabs, limitMs: number): Promise<string | undefined> {
  if (!/^https?:/i.test(current.page.url())) return undefined;
  return current.evaluate<string>("document.baseURI", performance.now() + limitMs).catch(() => current.page.url());
}

function webAddress(step: PlainStep, given: string, base: string | undefined, scope: JsonObject): string {
  const url = URL.parse(given, base);
  if (url === null)
    throw new RowcallError("STEP_FAILED", `${label(step, scope)}: "${given}" is not an address`, {
      hint:
        base === undefined
          ? "The first address has to be a whole one, such as https://example.com/."
          : "Look at where the address comes from.",
    });
  if (url.protocol === "http:" || url.protocol === "https:") return url.href;
  throw new RowcallError("HOST_BLOCKED", `${label(step, scope)}: "${given}" is not the address of a web page`, {
    hint: "A browser agent opens web pages only: http and https.",
  });
}

function notOpened(url: string, isClosed: boolean, unreachable: string | undefined, cause: unknown): RowcallError {
  const reason = unreachable ?? /net::(ERR_\w+)/.exec(messageOf(cause))?.[1];
  if (isClosed)
    return new RowcallError("BROWSER_CRASHED", "The page was closed or crashed", {
      hint: "The row is tried again in a fresh browser page.",
      cause,
    });
  const why = reason ?? messageOf(cause).split("\n")[0] ?? "";
  return new RowcallError("PAGE_UNEXPECTED", `${url} could not be opened: ${why}`, {
    hint: "Check that the site can be reached from this machine.",
    cause,
  });
}
