import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launchBrowser, type BrowserProcess } from "../chromium/browser-process.ts";
import { findChromium } from "../chromium/chromium.ts";
import { goTo } from "./goto.ts";
import { openTabs, type Tabs } from "../page/tabs.ts";

describe("goto", () => {
  let chromium: BrowserProcess;
  let tabs: Tabs;
  const asked: string[] = [];
  before(async () => {
    chromium = await launchBrowser(await findChromium({}));
    const page = await chromium.browser.newPage();
    page.on("request", (request) => asked.push(request.url()));
    tabs = await openTabs(page);
  });
  after(() => chromium.end());

  const go = (name: string, wayOut?: Parameters<typeof goTo>[1]["wayOut"]): Promise<object> =>
    goTo({ action: "goto", url: "{{name}}", wait_until: "load" }, { tabs, scope: { name }, wayOut }, 20_000);

  it("opens nothing but web pages, whatever a variable says", async () => {
    const addresses = [
      "javascript:document.title=1",
      " JavaScript:document.title=1",
      "java\nscript:document.title=1",
      "data:text/html,<title>1</title>",
      "file:///etc/hostname",
      "file://localhost/etc/hostname",
      "view-source:http://127.0.0.1/",
      "blob:http://127.0.0.1/1",
      "filesystem:http://127.0.0.1/temporary/a",
      "chrome://version",
      "chrome-extension://a/b",
      "devtools://devtools/bundled/inspector.html",
      "about:version",
      "ftp://127.0.0.1/",
      "ws://127.0.0.1/",
      "mailto:a@example.com",
    ];
    for (const name of addresses)
      await assert.rejects(go(name), { code: "HOST_BLOCKED", message: /is not the address of a web page/ }, name);
    assert.equal(tabs.current.page.url(), "about:blank");
    assert.equal(await tabs.current.page.title(), "");
  });

  it("asks whether a host is allowed before the browser goes there", async () => {
    const admit = (url: string): never => {
      throw new Error(`not to ${url}`);
    };
    const wayOut = { admit, whyUnreachable: () => undefined };
    await assert.rejects(go("HTTP://Example.COM\\a", wayOut), { message: "not to http://example.com/a" });
    assert.deepEqual(asked, []);
  });
});
