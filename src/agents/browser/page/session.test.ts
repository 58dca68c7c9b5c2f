import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { parseAllowedHosts } from "../../allowed-hosts.ts";
import { findChromium, type ChromiumBinary } from "../chromium/chromium.ts";
import { openEgress, type Egress } from "../egress/egress.ts";
import { openBrowserPool, type BrowserPool } from "../chromium/pool.ts";
import { contextOptions, openSession, type Session } from "./session.ts";

const never = new AbortController().signal;

describe("session", () => {
  let server: Server;
  let port: number;
  let binary: ChromiumBinary;
  let egress: Egress;
  let pool: BrowserPool;
  let asked: string[];

  before(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.headers.host} ${request.url}`);
      if (request.url === "/redirect") {
        response.writeHead(302, { location: `http://localhost:${port}/secret` }).end();
        return;
      }
      const other = `http://localhost:${port}`;
      const page = `<title>page</title><img src="${other}/image.png"><a href="${other}/secret">leave</a>
        <script>addEventListener("beforeunload", (event) => event.preventDefault())</script>`;
      response.setHeader("content-type", "text/html").end(page);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
    binary = await findChromium({});
    egress = await openEgress(parseAllowedHosts([`127.0.0.1:${port}`]));
    pool = openBrowserPool({ binary, concurrency: 2, proxyUrl: egress.proxyUrl });
  });
  after(async () => {
    await pool.close();
    await egress.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function visit<T>(
    work: (page: Page, session: Session) => Promise<T>,
    hosts = [`127.0.0.1:${port}`],
  ): Promise<T> {
    asked = [];
    return pool.withContext(
      contextOptions({ locale: "en-GB", timezone: "Europe/London" }),
      never,
      async (context, promptly) => {
        const session = await openSession(context, parseAllowedHosts(hosts), promptly);
        return session.guard(work(session.tabs.current.page, session));
      },
    );
  }

  it("stops a navigation to another host and names both", async () => {
    const visited = visit((page) => page.goto(`http://localhost:${port}/secret`));
    await assert.rejects(visited, {
      code: "HOST_BLOCKED",
      message: `The page went to host "localhost:${port}", which is not allowed (allowed: 127.0.0.1:${port})`,
    });
    assert.deepEqual(asked, []);
  });

  it("stops a navigation to another host by https too", async () => {
    const visited = visit((page) => page.goto(`https://localhost:${port}/secret`));
    await assert.rejects(visited, { code: "HOST_BLOCKED", message: /host "localhost:\d+", which is not allowed/ });
  });

  it("stops a click that leads to another host, without waiting for the next step to time out", async () => {
    const visited = visit(async (page) => {
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.click("a");
      await page.locator("#result").innerText();
    });
    await assert.rejects(visited, { code: "HOST_BLOCKED" });
    assert.equal(
      asked.some((line) => line.includes("/secret")),
      false,
    );
  });

  it("leaves out what a page wants from other hosts, and goes on", async () => {
    const title = await visit(async (page) => {
      await page.goto(`http://127.0.0.1:${port}/`);
      return page.title();
    });
    assert.equal(title, "page");
    assert.deepEqual(
      asked.filter((line) => line.includes("image")),
      [],
    );
  });

  it("follows no redirect to another host", async () => {
    const visited = visit((page) => page.goto(`http://127.0.0.1:${port}/redirect`));
    await assert.rejects(visited, { code: "HOST_BLOCKED" });
    assert.deepEqual(asked, [`127.0.0.1:${port} /redirect`]);
  });

  it("never opens local files, even where every host is allowed", async () => {
    const visited = visit((page) => page.goto("file:///etc/hostname"), ["*"]);
    await assert.rejects(visited, { code: "HOST_BLOCKED", message: /file:\/\/\/etc\/hostname/ });
  });

  it("leaves a page that asks whether to leave", async () => {
    const title = await visit(async (page) => {
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.mouse.click(5, 5);
      await page.goto(`http://127.0.0.1:${port}/again`);
      return page.title();
    });
    assert.equal(title, "page");
  });

  it("looks like a browser of the given place, 1280 by 720", async () => {
    const seen = await visit((page) =>
      page.evaluate("[navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone, innerWidth, innerHeight]"),
    );
    assert.deepEqual(seen, ["en-GB", "Europe/London", 1280, 720]);
  });

  it("fails at once when the page crashes", async () => {
    const visited = visit(async (page) => {
      const protocol = await page.context().newCDPSession(page);
      await protocol.send("Page.crash");
    });
    await assert.rejects(visited, { code: "BROWSER_CRASHED", message: "The page crashed" });
  });
});
