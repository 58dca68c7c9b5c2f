// What a user would write by hand with Playwright's locators: a context per row, no recording, no retries.
import { chromium, type Browser } from "playwright-core";
import type { ChromiumBinary } from "../../src/agents/browser/chromium/chromium.ts";

/** Starts the browser as Playwright does by itself. */
export function launchPlain({ path, env }: ChromiumBinary): Promise<Browser> {
  return chromium.launch({ executablePath: path, env: { ...process.env, ...env } });
}

/** Looks one address up. */
export async function doPlainRow(
  browser: Browser,
  origin: string,
  postcode: string,
  address: string,
): Promise<{ exchange: string; down: number; up: number }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  try {
    const page = await context.newPage();
    await page.goto(origin);
    await page.getByLabel("Postcode").fill(postcode);
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByLabel("Address").selectOption({ label: address });
    await page.getByRole("button", { name: "Show result" }).click();
    const exchange = await page.locator("#exchange").innerText();
    const cells = await page.getByRole("row", { name: "VDSL Range A" }).getByRole("cell").allInnerTexts();
    return { exchange, down: Number(cells[0]), up: Number(cells[1]) };
  } finally {
    await context.close();
  }
}
