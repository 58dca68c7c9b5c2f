import type { Response } from "playwright-core";
import { messageOf, RowcallError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import { askPage } from "../page/ask-page.ts";
import type { WayOut } from "../egress/egress.ts";
import { pageGone } from "../failures.ts";
import { render } from "../template/rendering.ts";
import { describeShown, label } from "./step-words.ts";
import type { PlainStep } from "../template/steps.ts";
import type { Tabs } from "../page/tabs.ts";

/**
 * Opens an address; a relative one is read as a link on the page would be. Nothing but a web page of an allowed host is asked of the
 * browser, wherever the address comes from.
 *
 * @throws RowcallError PAGE_UNEXPECTED when it cannot be opened or answers with an error, HOST_BLOCKED when it is no web page or its
 *   host is not allowed
 */
export async function goTo(
  step: Extract<PlainStep, { readonly action: "goto" }>,
  { tabs, scope, wayOut }: { readonly tabs: Tabs; readonly scope: JsonObject; readonly wayOut?: WayOut },
  limitMs: number,
): Promise<object> {
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
    throw page.isClosed() ? pageGone(thrown) : notOpened(url, wayOut?.whyUnreachable(url), thrown);
  }
  if (response === null || response.status() < 400) return {};
  const answer = await askPage(tabs.current, { kind: "conditions", named: [] }, { waitMs: 0, limitMs });
  const shown = answer.status === "refused" ? `; ${describeShown(answer.shown)}` : "";
  throw new RowcallError("PAGE_UNEXPECTED", `${url} answered with status ${response.status()}${shown}`, {
    hint: "Open the address by hand, or try again later.",
    details: { status: response.status() },
  });
}

/** Returns the base of relative addresses: the page's own, or what it declares. */
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

function notOpened(url: string, unreachable: string | undefined, cause: unknown): RowcallError {
  const why = unreachable ?? /net::(ERR_\w+)/.exec(messageOf(cause))?.[1] ?? messageOf(cause).split("\n")[0] ?? "";
  return new RowcallError("PAGE_UNEXPECTED", `${url} could not be opened: ${why}`, {
    hint: "Check that the site can be reached from this machine.",
    cause,
  });
}
