// Runs the broadband example in the dashboard and writes pictures of its pages to docs/dashboard/.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../src/agents/browser/chromium/browser-process.ts";
import { findChromium } from "../src/agents/browser/chromium/chromium.ts";
import { openDashboardStage } from "../test/fakes/dashboard-stage.ts";

const home = fileURLToPath(new URL("..", import.meta.url));
const folder = join(home, "docs", "dashboard");
const desktop = { width: 1180, height: 820 };
const phone = { width: 390, height: 780 };

await mkdir(folder, { recursive: true });
const stage = await openDashboardStage();
const { browser, end } = await launchBrowser(await findChromium({}));
try {
  const context = await browser.newContext({ locale: "en-GB", viewport: desktop, reducedMotion: "reduce" });
  const page = await context.newPage();
  const shoot = async (name: string, selector?: string): Promise<void> => {
    if (selector !== undefined) await page.locator(selector).first().scrollIntoViewIfNeeded();
    await writeFile(join(folder, `${name}.png`), await page.screenshot({ scale: "css", animations: "disabled" }));
  };

  await page.goto(`${stage.url}/`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await shoot("sign-in");
  await page.goto(stage.entry);
  await page.goto(`${stage.url}/new`);
  await page.getByLabel("Agent", { exact: true }).selectOption("broadband-availability-bt-wholesale@1.0.1");
  await shoot("new-batch");
  const addresses = await readFile(join(home, "examples/broadband/addresses.csv"));
  await page.getByLabel("A CSV file").setInputFiles({ name: "addresses.csv", mimeType: "text/csv", buffer: addresses });
  await page.getByRole("button", { name: "Go on to the columns" }).click();
  await page.getByLabel("Name of the run").fill("addresses-of-march");
  await page.getByLabel("Rows at once").fill("4");
  await page.getByLabel("Retries of a failed row").fill("1");
  await shoot("columns");
  await page.getByRole("button", { name: "Check every row" }).click();
  await page.getByRole("heading", { name: /^The plan for/ }).waitFor();
  await shoot("plan");
  await page.getByRole("button", { name: /^Run all/ }).click();
  await page.waitForURL(/\/runs\/[\w-]+$/);
  const run = page.url();
  await page.locator('dd[data-live="succeeded"]', { hasText: /^[2-9]\d$/ }).waitFor({ timeout: 120_000 });
  await page.locator("#chart canvas").waitFor();
  await page.evaluate("window.scrollTo(0, 0)");
  await shoot("run");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.locator("#chart canvas").waitFor();
  await shoot("run-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.locator("#status", { hasText: "Succeeded" }).waitFor({ timeout: 180_000 });
  await page.goto(`${run}/rows`);
  await page.keyboard.press("j");
  await shoot("rows");
  await page.goto(`${run}/rows?status=failed&code=CHOICE_AMBIGUOUS`);
  await page.locator("#rows tbody th a").first().click();
  await page
    .locator(".shots img")
    .first()
    .evaluate((image) => (image as HTMLImageElement).decode());
  await shoot("row");
  await page.goto(`${stage.url}/`);
  await shoot("runs");
  await page.goto(`${stage.url}/agents`);
  await shoot("agents");
  await page.goto(`${stage.url}/agents/broadband-availability-bt-wholesale`);
  await shoot("agent");
  await page.getByRole("button", { name: "Compare" }).click();
  await page.waitForURL(/\/diff\?/);
  await shoot("difference");
  await page.goto(`${stage.url}/templates/broadband_availability_bt_wholesale`);
  await shoot("template");
  await page.goto(`${stage.url}/sessions`);
  await shoot("sessions");
  await page.setViewportSize(phone);
  await page.goto(run);
  await shoot("phone");
} finally {
  await end();
  await stage.close();
}
