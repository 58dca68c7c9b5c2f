import type { Page } from "playwright-core";
import { late, settlePage } from "./ask-page.ts";
import { openTab, type PageDialog, type Tab } from "./tab.ts";

/** The tabs of an attempt, of which the script works in one at a time. */
export interface Tabs {
  /** The one that steps work in: the first, or that which an action has opened. */
  readonly current: Tab;
  /** All dialogs so far, of all tabs. */
  readonly dialogs: readonly PageDialog[];
  /** An action begins. What one before it has set off and nobody has waited for yet goes on to count. */
  begin(): void;
  /**
   * Waits until all is done that the action has set off. A tab that it has opened becomes the current one; when that is closed again,
   * the one that it came from.
   *
   * @returns what became of a tab, in words; undefined when none was opened or closed
   * @throws RowcallError as `askPage`
   */
  settle(limitMs: number): Promise<string | undefined>;
}

/** Options for following tabs. */
export interface TabsOptions {
  /** Returns whether the script may go to this address. */
  allows(url: string): boolean;
  /** Told of each page that the script works in, the first excepted. */
  onFollow(page: Page): void;
}

/** A tab for a download, or one whose content never came. */
const isEmpty = 'location.href === "about:blank" && !document.body?.hasChildNodes()';

/** Follows a page and the tabs that actions open from it. */
export async function openTabs(page: Page, options?: TabsOptions): Promise<Tabs> {
  const dialogs: PageDialog[] = [];
  const open = (opened: Page): Promise<Tab> => openTab(opened, (dialog) => dialogs.push(dialog));
  const tabs: Tab[] = [await open(page)];
  /** The tab in which the action in flight has begun. */
  let acting: Tab | undefined;
  const current = (): Tab => {
    while (tabs.length > 1 && tabs.at(-1)!.page.isClosed()) tabs.pop();
    return tabs.at(-1)!;
  };
  let popups: Page[] = [];
  let onPopup = (): void => undefined;
  const listen = ({ page: opener }: Tab): void =>
    void opener.on("popup", (popup) => {
      popups.push(popup);
      onPopup();
    });
  listen(current());

  /** The tab that an action has opened, once it has its first document. */
  async function popup(limitMs: number): Promise<Page> {
    if (popups.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      onPopup = resolve;
      const timer = setTimeout(resolve, limitMs);
      await promise;
      clearTimeout(timer);
    }
    const opened = popups.at(-1);
    if (opened === undefined) throw late("The tab that it opened did not come in time");
    return opened;
  }

  async function follow(opened: Page, limitMs: number): Promise<string> {
    const stays = (why: string): string => `it opened a tab, which ${why}; the steps stay on their page`;
    if (opened.isClosed()) return stays("was closed");
    const tab = await open(opened);
    const deadline = performance.now() + limitMs;
    if (!(await tab.arrive(deadline)))
      throw late(`The tab for ${tab.leavingFor} did not come within ${limitMs / 1000} s`);
    if (opened.isClosed()) return stays("was closed");
    if (tab.unreachable === undefined && (await tab.evaluate(isEmpty, deadline))) return stays("shows nothing");
    const url = tab.unreachable ?? opened.url();
    if (options?.allows(url) === false) return stays(`went to ${url}, outside of the allowed hosts`);
    tabs.push(tab);
    listen(tab);
    options?.onFollow(opened);
    return `it opened a tab: ${url}`;
  }

  return {
    get current() {
      return current();
    },
    dialogs,
    begin() {
      if (acting !== undefined) return;
      acting = current();
      popups = [];
      onPopup = () => undefined;
      acting.begin();
    },
    async settle(limitMs) {
      if (acting === undefined) return undefined;
      const tab = acting;
      acting = undefined;
      const deadline = performance.now() + limitMs;
      await settlePage(tab, limitMs);
      if (current() !== tab) return `its tab was closed; the steps go on at ${current().page.url()}`;
      if (tab.opened === 0) return undefined;
      const opened = await popup(Math.max(0, deadline - performance.now()));
      return follow(opened, Math.max(0, deadline - performance.now()));
    },
  };
}
