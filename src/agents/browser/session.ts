import type { BrowserContext, BrowserContextOptions, Page, Request } from "playwright-core";
import { RowcallError } from "../../core/errors.ts";
import { bypassRules, hostBlocked, type AllowedHosts } from "./allowed-hosts.ts";
import { nowhere } from "./browser-process.ts";
import type { Promptly } from "./pool.ts";
import { openTabs, type Tabs } from "./tabs.ts";
import type { SessionSettings } from "./template.ts";

/** How requests to other hosts are kept from leaving. */
export type HostGuard =
  /** Sent to a proxy that does not exist: costs nothing per request, but replaces the system's proxy. */
  | "dead-proxy"
  /** Stopped one by one, for systems whose way out is a proxy: a round trip per request, and a redirect is only noticed afterwards. */
  | "intercept";

/** The page of one attempt. */
export interface Session {
  readonly page: Page;
  /** The page and the tabs that it opens. */
  readonly tabs: Tabs;
  /**
   * What ended the session, when something other than its user did: a blocked navigation or a crash. Undefined while all is well.
   */
  readonly failure: RowcallError | undefined;
  /** Does something, until it is done or the session fails. */
  guard<T>(work: Promise<T>): Promise<T>;
}

/** The guard that suits this process: a proxy named in the environment is the only way out, so it has to stay. */
export function hostGuardFor(env: Readonly<Record<string, string | undefined>>): HostGuard {
  const names = ["http_proxy", "https_proxy", "all_proxy"];
  return Object.entries(env).some(([name, value]) => value && names.includes(name.toLowerCase()))
    ? "intercept"
    : "dead-proxy";
}

/** The settings of an attempt's context. */
export function contextOptions(
  settings: Omit<SessionSettings, "timeout_seconds">,
  allowed: AllowedHosts,
  guard: HostGuard,
): BrowserContextOptions {
  const { viewport, locale, timezone } = settings;
  return {
    viewport: viewport === undefined ? { width: 1280, height: 720 } : { ...viewport },
    acceptDownloads: false,
    ...(locale === undefined ? {} : { locale }),
    ...(timezone === undefined ? {} : { timezoneId: timezone }),
    ...(allowed.all || guard === "intercept"
      ? {}
      : { proxy: { server: `http://${nowhere}:1`, bypass: bypassRules(allowed) } }),
  };
}

/** Opens the page of an attempt and watches over it. */
export async function openSession(
  context: BrowserContext,
  allowed: AllowedHosts,
  guard: HostGuard,
  promptly: Promptly,
): Promise<Session> {
  if (!allowed.all && guard === "intercept") await promptly(interceptOthers(context, allowed));
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
    page,
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

async function interceptOthers(context: BrowserContext, allowed: AllowedHosts): Promise<void> {
  const other = (url: URL): boolean => !allowed.allows(url.href);
  await context.route(other, (route) => route.abort("blockedbyclient"));
  await context.routeWebSocket(other, (socket) => socket.close());
}
