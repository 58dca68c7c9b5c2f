import type { CDPSession, Page } from "playwright-core";
import { LateError, within } from "../../within.ts";
import { followRequests } from "./requests.ts";

/** A page, followed from document to document. */
export interface Tab {
  readonly page: Page;
  readonly protocol: CDPSession;
  /** Number of the document that is shown; each has its own. */
  readonly document: number;
  /** Address that the document is being left for; undefined while it stays. */
  readonly leavingFor: string | undefined;
  /** Address that could not be opened, when the browser shows a page of its own in its place. */
  readonly unreachable: string | undefined;
  /** True when a header takes the document to another one as soon as it is loaded. */
  readonly leavesAtLoad: boolean;
  /**
   * Evaluates in the document that is shown.
   *
   * @param deadline - when the answer is due. The browser holds it back while the document is being left, which may be for ever; a
   *   document that stays gets a few seconds more
   * @throws LateError when there is no answer in time
   * @throws Error when it fails, also because the document went away
   */
  evaluate<T>(expression: string, deadline: number): Promise<T>;
  /** Waits until the document is not being left, but not longer than the deadline. Returns whether that is so. */
  arrive(deadline: number): Promise<boolean>;
  /** An action begins: what the page asks its server for and which tabs it opens from now on belongs to it. */
  begin(): void;
  /** Stops to count further requests as the action's. */
  counted(): void;
  /** Waits for the action's requests, for the document to be left, or for the deadline. Returns whether there were any. */
  answered(deadline: number): Promise<boolean>;
  /** Number of tabs that the page has opened since the action began. */
  readonly opened: number;
}

/** A dialog of a page. */
export interface PageDialog {
  readonly type: "alert" | "confirm" | "prompt";
  readonly message: string;
}

/** A refresh within this time takes the page along: it is what the page is there for. */
const soonMs = 1000;

/** Grace on a busy machine, on top of the page's own limit, before its answer is given up. */
const slowAnswerMs = 10_000;

/**
 * Follows a page. From here on its dialogs are closed: nothing is confirmed unasked.
 */
export async function openTab(page: Page, onDialog: (dialog: PageDialog) => void): Promise<Tab> {
  closeDialogs(page, onDialog);
  const protocol = await page.context().newCDPSession(page);
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const check of waiting) check();
  };
  let mainFrame = "";
  const requests = followRequests(protocol, (frameId) => frameId === mainFrame, changed);

  let document = 0;
  let unreachable: string | undefined;
  let leavesAtLoad = false;
  let address = "";
  let goal = "";
  /** A navigation that the page has announced, before the browser begins it. */
  let announced: "scheduled" | "requested" | undefined;
  /** The browser's number of the navigation in flight. */
  let running: string | undefined;
  let opened = 0;

  const begun = (loader: string, url: string): void => {
    running = loader;
    announced = undefined;
    goal = url;
    changed();
  };
  const ended = (loader: string): void => {
    if (running !== loader) return;
    running = undefined;
    changed();
  };
  // The browser holds back what it is asked of a document that is being left, so an answer means that it is not, or not any more.
  const endUnlessHeldBack = async (): Promise<void> => {
    const [was, said] = [running, announced];
    await protocol.send("Runtime.evaluate", { expression: "0" }).catch(() => undefined);
    if (was !== undefined) ended(was);
    else if (running === undefined && announced === said) {
      announced = undefined;
      changed();
    }
  };

  protocol.on("Page.frameScheduledNavigation", ({ frameId, delay, url, reason }) => {
    if (frameId !== mainFrame || delay * 1000 > soonMs) return;
    if ((reason === "metaTagRefresh" || reason === "httpHeaderRefresh") && url === address) return;
    announced ??= "scheduled";
    goal = url;
  });
  protocol.on("Page.frameRequestedNavigation", ({ frameId, disposition, url }) => {
    if (frameId !== mainFrame || disposition !== "currentTab") return;
    announced = "requested";
    goal = url;
  });
  protocol.on("Page.frameClearedScheduledNavigation", ({ frameId }) => {
    if (frameId !== mainFrame || announced === undefined) return;
    if (announced === "requested" && running === undefined) {
      // Begun a moment later, or called off, as by "Leave this page?".
      void endUnlessHeldBack();
      return;
    }
    announced = undefined;
    changed();
  });
  protocol.on("Page.frameStartedNavigating", ({ frameId, loaderId, url, navigationType }) => {
    if (frameId === mainFrame && !/samedocument/i.test(navigationType)) begun(loaderId, url);
  });
  protocol.on("Network.requestWillBeSent", ({ frameId, loaderId, requestId, type, request }) => {
    // Older browsers do not say that they start.
    if (type === "Document" && frameId === mainFrame && loaderId === requestId) begun(loaderId, request.url);
  });
  protocol.on("Network.responseReceived", ({ frameId, type, response }) => {
    if (type !== "Document" || frameId !== mainFrame) return;
    leavesAtLoad = Object.keys(response.headers).some((name) => name.toLowerCase() === "refresh");
  });
  protocol.on("Network.loadingFailed", ({ requestId, canceled }) => {
    // Nothing to show (204), a download, or overtaken. After other failures the browser shows a page of its own.
    if (canceled === true) ended(requestId);
  });
  protocol.on("Page.frameStoppedLoading", ({ frameId }) => {
    if (frameId === mainFrame && running !== undefined) void endUnlessHeldBack();
  });
  protocol.on("Page.frameNavigated", ({ frame }) => {
    if (frame.parentId !== undefined) return;
    document += 1;
    address = frame.url;
    unreachable = frame.unreachableUrl;
    announced = undefined;
    requests.begin(false);
    if (running === frame.loaderId) running = undefined;
    else if (running !== undefined) void endUnlessHeldBack();
    changed();
  });
  protocol.on("Page.windowOpen", () => {
    opened += 1;
  });
  page.on("close", changed);
  page.on("crash", changed);

  const [tree] = await Promise.all([
    protocol.send("Page.getFrameTree"),
    protocol.send("Page.enable"),
    protocol.send("Network.enable", { maxTotalBufferSize: 0, maxResourceBufferSize: 0 }),
  ]);
  mainFrame = tree.frameTree.frame.id;
  address = tree.frameTree.frame.url;
  unreachable = tree.frameTree.frame.unreachableUrl;

  /** Waits until something is so, the page is gone, or the deadline. */
  function until(isSo: () => boolean, deadline: number): Promise<boolean> {
    if (isSo() || page.isClosed()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (is: boolean): void => {
        clearTimeout(timer);
        waiting.delete(check);
        resolve(is);
      };
      const check = (): void => {
        if (isSo() || page.isClosed()) end(true);
      };
      const timer = setTimeout(() => end(false), Math.max(0, deadline - performance.now()));
      waiting.add(check);
    });
  }
  const stays = (): boolean => announced === undefined && running === undefined;

  return {
    page,
    protocol,
    get document() {
      return document;
    },
    get leavingFor() {
      return stays() ? undefined : goal;
    },
    get unreachable() {
      return unreachable;
    },
    get leavesAtLoad() {
      return leavesAtLoad;
    },
    get opened() {
      return opened;
    },
    async evaluate<T>(expression: string, deadline: number) {
      const asked = protocol.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
      const { result, exceptionDetails } = await within(asked, Math.max(1, deadline - performance.now())).catch(
        (thrown: unknown) => {
          if (!(thrown instanceof LateError) || !stays()) throw thrown;
          return within(asked, slowAnswerMs);
        },
      );
      if (exceptionDetails === undefined) return result.value as T;
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    },
    arrive: (deadline) => until(stays, deadline),
    begin() {
      opened = 0;
      requests.begin(true);
    },
    counted: requests.stop,
    async answered(deadline) {
      if (requests.open === 0) return false;
      await until(() => requests.open === 0 || !stays(), deadline);
      return true;
    },
  };
}

function closeDialogs(page: Page, onDialog: (dialog: PageDialog) => void): void {
  page.on("dialog", (dialog) => {
    const type = dialog.type();
    if (type === "alert" || type === "confirm" || type === "prompt") onDialog({ type, message: dialog.message() });
    // "Leave this page?": the template has decided to.
    const closed = type === "beforeunload" ? dialog.accept() : dialog.dismiss();
    void closed.catch(() => undefined);
  });
}
