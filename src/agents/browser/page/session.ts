import type { BrowserContext, BrowserContextOptions, Page, Request } from "playwright-core";
import { RowcallError } from "../../../core/errors.ts";
import { hostBlocked, type AllowedHosts } from "../../allowed-hosts.ts";
import type { Promptly } from "../chromium/pool.ts";
import { openTabs, type Tabs } from "./tabs.ts";
import type { SessionSettings } from "../template/template.ts";

/** The tabs of one attempt, watched over. */
export interface Session {
  readonly tabs: Tabs;
  /** The blocked navigation or the crash that ended the session; undefined while all is well. */
  readonly failure: RowcallError | undefined;
  /** Does something, until it is done or the session fails. */
  guard<T>(work: Promise<T>): Promise<T>;
}

/** The settings of an attempt's context. */
export function contextOptions({
  viewport,
  locale,
  timezone,
}: Omit<SessionSettings, "timeout_seconds">): BrowserContextOptions {
  return {
    viewport: viewport ?? { width: 1280, height: 720 },
    acceptDownloads: false,
    // What they would ask for is no request of the page's, and no row is there for the second visit.
    serviceWorkers: "block",
    locale,
    timezoneId: timezone,
  };
}

/** Opens the page of an attempt and watches over it: what the browser's way out has refused is told as what it is. */
export async function openSession(
  context: BrowserContext,
  allowed: AllowedHosts,
  promptly: Promptly,
): Promise<Session> {
  const page = await promptly(context.newPage());
  let failure: RowcallError | undefined;
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const fail = (error: RowcallError): void => {
    failure ??= error;
    failed.reject(failure);
  };

  const watch = (watched: Page): void => {
    watched.on("crash", () =>
      fail(new RowcallError("BROWSER_CRASHED", "The page crashed", { hint: "The next attempt gets a fresh page." })),
    );
    watched.on("framenavigated", (frame) => {
      if (frame === watched.mainFrame() && !allowed.allows(frame.url())) fail(hostBlocked(frame.url(), allowed));
    });
    watched.on("requestfailed", (request) => {
      if (isMainNavigation(request, watched) && !allowed.allows(request.url()))
        fail(hostBlocked(request.url(), allowed));
    });
  };
  watch(page);
  const tabs = await promptly(openTabs(page, { allows: allowed.allows, onFollow: watch }));
  return {
    tabs,
    get failure() {
      return failure;
    },
    guard: (work) => Promise.race([failed.promise, work]),
  };
}

function isMainNavigation(request: Request, page: Page): boolean {
  return request.isNavigationRequest() && request.frame() === page.mainFrame();
}
