import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { launchBrowser, type BrowserProcess } from "../../../src/agents/browser/chromium/browser-process.ts";
import { findChromium } from "../../../src/agents/browser/chromium/chromium.ts";
import { startSite, type Site } from "./server.ts";

let site: Site;
let browser: BrowserProcess;

/** Opens a fresh context at a hash of the public checker, or at a path. */
async function visit(path: string, use: (page: Page) => Promise<void>): Promise<void> {
  const context: BrowserContext = await browser.browser.newContext();
  context.setDefaultTimeout(10_000);
  try {
    const page = await context.newPage();
    await page.goto(site.url + (path.startsWith("#") ? `/public/${path}` : path));
    await use(page);
  } finally {
    await context.close();
  }
}

async function search(page: Page, number: string, street: string, postcode: string): Promise<void> {
  await page.locator('[id="BuildingNo "]').pressSequentially(number);
  await page.locator('[id="street "]').fill(street);
  await page.locator("#postCode").fill(postcode);
  await page.locator("#BtnsAdrdressHome").click();
}

const result = /#\/ADSL\/AddressFeatureProduct$/;
const list = /#\/ADSL\/AddressSuggestedList$/;
const form = "#/ADSL/AddressHome";

describe("the replica's pages", () => {
  before(async () => {
    site = await startSite();
    browser = await launchBrowser(await findChromium({ explicitPath: process.env["ROWCALL_CHROMIUM"] }));
  });
  beforeEach(() => void site.control({ reset: true, cookieBanner: false }));
  after(async () => {
    await browser.end();
    await site.close();
  });

  test("the building number drops letters without a word", () =>
    visit(form, async (page) => {
      await page.locator('[id="BuildingNo "]').pressSequentially("45A");
      assert.equal(await page.locator('[id="BuildingNo "]').inputValue(), "45");
    }));

  test("labels are not tied to their fields", () =>
    visit(form, async (page) => {
      assert.equal(await page.locator("mat-label > strong", { hasText: "PostCode *" }).count(), 1);
      assert.equal(await page.getByLabel("PostCode").count(), 0);
    }));

  test("the list's Submit stays disabled until an option is picked, and ids repeat", () =>
    visit(form, async (page) => {
      await search(page, "45A", "Park Road", "E8 4LX");
      await page.waitForURL(list);
      assert.ok((await page.locator("#opt").count()) > 1);
      assert.equal(await page.locator("#Btnss").count(), 2);
      const submit = page.getByRole("button", { name: "Submit" });
      assert.ok(await submit.isDisabled());
      await page.locator("select").selectOption("A00022000016");
      await submit.click();
      await page.waitForURL(result);
      assert.equal(
        await page.locator(".searchDetails").innerText(),
        "Address 45A Park Road, Hackney, London on Exchange HACKNEY is served by Cabinet 23",
      );
    }));

  test("rows without a value are there but hidden, and two tables have the same title", () =>
    visit(form, async (page) => {
      await search(page, "23", "High Street", "SW1A 1AA");
      await page.waitForURL(result);
      const row = (name: string) => page.locator("#AD01 tr", { has: page.locator("th", { hasText: name }) });
      assert.ok(await row("VDSL Range A (Clean)").isVisible());
      assert.ok(await row("G.fast Range A (Clean)").isHidden());
      assert.equal(await page.locator(".card-heading > strong", { hasText: "Featured Products" }).count(), 2);
    }));

  test("a home with fibre only has no cabinet and no copper table", () =>
    visit(form, async (page) => {
      await search(page, "282", "South Coast Road", "BN10 8LA");
      await page.waitForURL(result);
      assert.equal(
        await page.locator(".searchDetails").innerText(),
        "Address 282 South Coast Road, Peacehaven on Exchange PEACEHAVEN",
      );
      assert.ok(await page.locator("#AD01").isHidden());
      assert.ok(await page.locator("#AD02").isVisible());
    }));

  test("a result cannot be opened by its address", () =>
    visit("#/ADSL/AddressFeatureProduct", async (page) => {
      await page.locator("#postCode").waitFor();
      assert.match(page.url(), /#\/ADSL\/AddressHome$/);
    }));

  test("leaving a result asks first", () =>
    visit(form, async (page) => {
      await search(page, "23", "High Street", "SW1A 1AA");
      await page.waitForURL(result);
      page.once("dialog", (dialog) => void dialog.dismiss());
      await page.locator("#addressNav").click();
      await page.waitForURL(result);
      assert.ok(await page.locator(".searchDetails").isVisible());
      page.once("dialog", (dialog) => void dialog.accept());
      await page.locator("#addressNav").click();
      await page.locator("#BtnsAddressTwo").click();
      await page.locator("#postCode").waitFor();
    }));

  test("the cookie banner covers the form until it is answered, once per session", () => {
    site.control({ cookieBanner: true });
    return visit(form, async (page) => {
      const atTheMiddle =
        "document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('#cookie-banner') !== null";
      assert.equal(await page.evaluate(atTheMiddle), true);
      await page.getByRole("button", { name: "Reject all cookies" }).click();
      await page.reload();
      await page.locator("#postCode").waitFor();
      assert.equal(await page.locator("#cookie-banner").count(), 0);
    });
  });

  test("a page that waits longer than it wants says that the checker is unavailable", () => {
    site.control({ clientTimeoutMs: 50, behaviours: { "SW1A 1AA": { delayMs: 60_000 } } });
    return visit(form, async (page) => {
      await search(page, "23", "High Street", "SW1A 1AA");
      await page.getByText("checker is unavailable").waitFor();
      assert.equal(await page.locator(".spinner").count(), 0);
    });
  });

  test("a captcha appears after Submit where the postcode asks for one", () =>
    visit(form, async (page) => {
      await search(page, "26", "Palace Street", "CT1 2QQ");
      await page.getByText("Please enter Captcha").waitFor();
      await page.locator("#userCaptcha1").fill("R7K2PX");
      await page.locator("#BtnsAdrdressHome").click();
      await page.waitForURL(result);
    }));

  test("a postcode of the wrong shape never reaches the server", () =>
    visit(form, async (page) => {
      await search(page, "23", "High Street", "12345");
      await page.getByText("Please enter a valid PostCode").waitFor();
      assert.deepEqual(site.log(), []);
    }));

  test("a blank page is blank", () =>
    visit(form, async (page) => {
      await search(page, "10", "Arundel Gate", "S1 2BP");
      await page.waitForFunction("document.body.childElementCount === 0");
    }));

  test("a changed layout has neither the sentence nor the tables of the original", () =>
    visit(form, async (page) => {
      await search(page, "1", "Minster Yard", "YO1 7HH");
      await page.locator(".outcome").waitFor();
      assert.equal(await page.locator(".searchDetails, #AD01").count(), 0);
      assert.equal(await page.getByText("on Exchange").count(), 0);
    }));

  test("hostile text stays text", () =>
    visit(form, async (page) => {
      await search(page, "7", 'O\'Brien & Sons "Yard"', "HR9 5QQ");
      await page.waitForURL(result);
      assert.match(
        await page.locator(".searchDetails").innerText(),
        /on Exchange ST "MARY" & CO'S <b>TOWER<\/b> 🛰 is served by Cabinet 34/u,
      );
      assert.equal(await page.locator(".searchDetails b").count(), 0);
    }));

  test("the logged-in checker is reached through login and portal, and asks again when the login has ended", () =>
    visit("/login", async (page) => {
      const logIn = async (): Promise<void> => {
        await page.locator("input[name*=user]").fill("tester");
        await page.getByRole("button", { name: "Next" }).click();
        await page.locator("input[type=password]").fill("replica");
        await page.locator("button#next").click();
      };
      await logIn();
      await page.getByRole("button", { name: "Open App" }).click();
      await search(page, "143", "Belle Vue Road", "BH6 3EN");
      await page.waitForURL(result);
      assert.equal(await page.locator(".ExhangeCodeSetup > span").last().innerText(), "STSTHBN");
      assert.match(
        await page.locator("tr", { hasText: "Working" }).innerText(),
        /Working\s+ONT0001\s+REPL00A1B2C3\s+PS0000143/,
      );

      site.control({ sessionRequests: 0 });
      await page.goto(`${site.url}/portal`);
      assert.match(page.url(), /\/login\?return=\/portal$/);
      site.control({ sessionRequests: null });
      await logIn();
      await page.getByRole("button", { name: "Open App" }).waitFor();
    }));
});
