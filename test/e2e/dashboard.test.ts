import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import type { AxeResults } from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { launchBrowser, type BrowserProcess } from "../../src/agents/browser/chromium/browser-process.ts";
import { findChromium } from "../../src/agents/browser/chromium/chromium.ts";
import { openDashboardStage, type DashboardStage } from "../fakes/dashboard-stage.ts";

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const addresses = `building_number,street,postcode,full_address
23,High Street,SW1A 1AA,23 High Street London SW1A 1AA
15,Canal Street,LS6 2QQ,
`;

const hostileCells = `postcode,note
AB1,"<script>document.title='owned'</script><img src=x onerror=""document.title='owned'"">"
AB2,"=HYPERLINK(""http://evil.example"",""click"")"
AB3,${"long ".repeat(4000)}
AB4,\u202Eright to left\u202C مرحبا بالعالم
`;

describe("the dashboard in a browser", () => {
  let stage: DashboardStage;
  let browser: BrowserProcess;
  let context: BrowserContext;
  let page: Page;
  const troubles: string[] = [];

  before(async () => {
    stage = await openDashboardStage();
    browser = await launchBrowser(await findChromium({}));
    context = await browser.browser.newContext({ locale: "en-GB", acceptDownloads: true });
    page = await context.newPage();
    page.setDefaultTimeout(120_000);
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) troubles.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(stage.url)) troubles.push(`asked another site: ${request.url()}`);
    });
  });

  after(async () => {
    await context?.close();
    await browser?.end();
    await stage?.close();
  });

  /** From a table to its plan, as a user goes. */
  async function plan(agent: string, file: string, content: string): Promise<void> {
    await page.goto(`${stage.url}/new`);
    await axe("new batch");
    await page.getByLabel("Agent", { exact: true }).selectOption(agent);
    await page
      .getByLabel("A CSV file")
      .setInputFiles({ name: file, mimeType: "text/csv", buffer: Buffer.from(content) });
    await page.getByRole("button", { name: "Go on to the columns" }).click();
    await page.getByRole("heading", { name: "Which column goes where?" }).waitFor();
  }

  async function checkRows(): Promise<void> {
    await page.getByRole("button", { name: "Check every row" }).click();
    await page.getByRole("heading", { name: /^The plan for/ }).waitFor();
  }

  async function runAll(): Promise<string> {
    await page.getByRole("button", { name: /^Run all/ }).click();
    await page.waitForURL(/\/runs\/[\w-]+$/);
    return new URL(page.url()).pathname;
  }

  const stands = (status: string): Promise<void> => page.locator("#status", { hasText: status }).waitFor();
  const figure = (name: string, value: string | RegExp): Promise<void> =>
    page.locator(`dd[data-live="${name}"]`).filter({ hasText: value }).waitFor();

  test("asks for the token, and lets in with it", async () => {
    await page.goto(`${stage.url}/agents`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Token").fill("not the token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("That is not this server's token.").waitFor();
    await axe("sign in");
    await page.goto(stage.entry);
    await page.getByText("No runs yet").waitFor();
    assert.equal(page.url(), `${stage.url}/`);
    await axe("no runs");
  });

  test("goes from a CSV to a run, and steers it", async () => {
    let release = (): void => {};
    const held: (() => void)[] = [];
    let isHolding = true;
    stage.hold = () => (isHolding ? new Promise((go) => held.push(go)) : Promise.resolve());
    release = () => {
      for (const go of held.splice(0)) go();
    };
    const table = ["Post Code", ...Array.from({ length: 40 }, (_, n) => (n % 10 === 7 ? `ZZ${n}` : `AB${n}`))].join(
      "\n",
    );

    await plan("postcode-lookup@1.0.0", "codes.csv", `${table}\n`);
    assert.equal(await page.getByLabel(/^postcode/).inputValue(), "Post Code");
    await axe("columns");
    await page.getByLabel("Rows at once").fill("2");
    await page.getByLabel("Retries of a failed row").fill("0");
    await checkRows();
    await page.getByText("All 40 rows make a valid input").waitFor();
    await axe("plan");
    const planUrl = page.url();

    // A sample first.
    isHolding = false;
    await page.getByLabel("Rows of the sample").fill("2");
    await page.getByRole("button", { name: "Run the first rows as a sample" }).click();
    await stands("Succeeded");
    await figure("succeeded", /^2$/);
    await page.getByRole("link", { name: "Back to the plan" }).click();
    assert.equal(page.url(), planUrl);

    // Then all; it moves as rows are let go.
    isHolding = true;
    const path = await runAll();
    await figure("inFlight", /^2$/);
    await axe("run, going");
    release();
    await figure("succeeded", /^[2-9]$/);

    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/^Paused\./).waitFor();
    await stands("Paused");
    release();
    await figure("inFlight", /^0$/);
    const before = (await stage.engine.describe(path.split("/").at(-1) ?? "")).counts;
    assert.ok(before.pending > 0);

    await page.getByLabel("Rows at once").fill("5");
    await page.getByRole("button", { name: "Set rows at once" }).click();
    await page.getByText(/^At most 5 rows at once from now on/).waitFor();
    assert.equal((await stage.engine.describe(path.split("/").at(-1) ?? "")).counts.pending, before.pending);
    await page.getByRole("button", { name: "Resume" }).click();
    await stands("Running");
    await figure("inFlight", /^5$/);
    isHolding = false;
    release();
    await stands("Succeeded");
    await figure("succeeded", /^36$/);
    await figure("failed", /^4$/);
    await page.locator("#failures", { hasText: "AGENT_FAILED" }).waitFor();
    await page.locator("#chart canvas").waitFor();
    await axe("run, ended");

    // Failed rows, one of them again, then all.
    await page.getByRole("link", { name: "AGENT_FAILED" }).click();
    await page.getByRole("heading", { name: "Rows" }).waitFor();
    assert.equal(await page.getByLabel("Code").inputValue(), "AGENT_FAILED");
    assert.equal(await page.locator("#rows tbody tr").count(), 4);
    await axe("rows");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    assert.equal(await page.locator("#rows input:checked").count(), 1);
    await page.getByRole("button", { name: "Rerun selected" }).click();
    // The answer to the form says that the rerun has begun; to leave before it might break the form off.
    await page.locator(".notice", { hasText: /^\s*Attempt/ }).waitFor();
    await page.goto(`${stage.url}${path}`);
    await stands("Succeeded");
    await page.getByRole("button", { name: "Rerun failed" }).click();
    await page.locator(".notice", { hasText: /^\s*Attempt/ }).waitFor();
    await stands("Succeeded");
    await figure("failed", /^4$/);

    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "CSV", exact: true }).click();
    const download = await downloading;
    const text = await readFile(await download.path(), "utf8");
    assert.equal(text.trim().split("\n").length, 41);
    assert.match(text, /^Post Code,area,known/);
  });

  test("shows a row's detail, and tries it with another input", async () => {
    stage.hold = () => Promise.resolve();
    await page.goto(`${stage.url}/`);
    await axe("runs");
    await page.locator("#runs tbody th a").first().click();
    await page.getByRole("link", { name: "All rows" }).click();
    await page.getByLabel("Text in any column").fill("ZZ17");
    await page.keyboard.press("Enter");
    await page.waitForURL(/text=ZZ17/);
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Row 17" }).waitFor();
    await page.getByText("No area begins with Z: ZZ17").first().waitFor();
    await axe("row");
    await page.getByLabel(/^postcode/).fill("CD17");
    await page.getByRole("button", { name: "Try this input" }).click();
    await page.getByRole("heading", { name: "Your try" }).waitFor();
    assert.match(await page.locator("#tried").innerText(), /area\s+CD/);
    await axe("row, tried");
  });

  test("runs the broadband agent and shows what a failed row saw", async () => {
    await plan("broadband-availability-bt-wholesale@1.0.1", "addresses.csv", addresses);
    await checkRows();
    await runAll();
    await page.locator("#failures", { hasText: "CHOICE_AMBIGUOUS" }).waitFor();
    await stands("Succeeded");
    await page.getByRole("link", { name: "CHOICE_AMBIGUOUS" }).click();
    await page.locator("#rows tbody th a").click();
    const picture = page.locator(".shots img").first();
    await picture.scrollIntoViewIfNeeded();
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>(".shots img")?.naturalWidth);
    assert.ok(await picture.evaluate((image) => (image as HTMLImageElement).naturalWidth > 100));
    await axe("row with pictures");
  });

  test("shows agents and templates, tries one, publishes a version, tells what changed", async () => {
    await page.goto(`${stage.url}/agents`);
    await axe("agents");
    await page.getByRole("link", { name: "postcode-lookup" }).click();
    await axe("agent");
    await page.getByLabel(/^postcode/).fill("EF2");
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await page.getByRole("heading", { name: "Your try" }).waitFor();
    const draft = page.getByLabel("The agent as JSON");
    await draft.fill((await draft.inputValue()).replace("Tells the area", "Knows the area"));
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByRole("heading", { name: "postcode-lookup 1.0.1" }).waitFor();
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByText("Knows the area").waitFor();
    await axe("difference");
    await page.goto(`${stage.url}/agents/postcode-lookup`);
    await page.getByLabel("The agent as JSON").fill("{");
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByText(/is not JSON/).waitFor();
    await page.goto(`${stage.url}/templates/broadband_availability_bt_wholesale`);
    await page.getByText("click button “Submit”").first().waitFor();
    await axe("template");
  });

  test("shows hostile cells as text", async () => {
    await plan("postcode-lookup@1.0.0", "hostile.csv", hostileCells);
    await page.getByText("<script>document.title").first().waitFor();
    await checkRows();
    await runAll();
    await stands("Succeeded");
    await page.getByRole("link", { name: "All rows" }).click();
    await page.getByText("=HYPERLINK").first().waitFor();
    for (const row of [0, 2, 3]) {
      await page.locator("#rows tbody tr").nth(row).locator("th a").click();
      await page.getByRole("heading", { name: `Row ${row}` }).waitFor();
      assert.doesNotMatch(await page.title(), /owned/);
      const isWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      assert.equal(isWide, false, `row ${row} makes the page wider than the window`);
      await page.goBack();
    }
    await axe("hostile rows");
  });

  test("is as wide as a phone, and says what is not there", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(`${stage.url}/`);
    await page.locator("#runs tbody th a").last().click();
    const run = page.url();
    for (const url of [
      `${stage.url}/`,
      run,
      `${run}/rows`,
      `${run}/rows/0`,
      `${stage.url}/new`,
      `${stage.url}/agents/postcode-lookup`,
      `${stage.url}/sessions`,
    ]) {
      await page.goto(url);
      const isWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      assert.equal(isWide, false, `${url} is wider than a phone`);
    }
    await page.goto(`${stage.url}/runs/none`);
    await page.getByRole("heading", { name: "Not found" }).waitFor();
    await axe("not found");
  });

  test("shows who is signed in, ends another one's session, and signs out", async () => {
    const other = await fetch(stage.entry, { redirect: "manual", headers: { "user-agent": "Firefox/144.0 (Linux)" } });
    const cookie = other.headers.get("set-cookie")?.split(";")[0] ?? "";
    await page.getByRole("link", { name: "Sessions" }).click();
    await page.getByText("This browser").waitFor();
    await axe("sessions");
    await page.getByRole("button", { name: "End the session of Firefox 144 on Linux" }).click();
    await page.getByText("The session has ended.").waitFor();
    assert.equal((await fetch(stage.url, { headers: { cookie } })).status, 401);
    await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await axe("signed out");
    await page.goBack();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  test("asks no other site, breaks no policy and throws nothing", () => {
    assert.deepEqual(troubles, []);
  });

  async function axe(name: string): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(axeSource);
      const { violations } = await page.evaluate(async () =>
        (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
      );
      const found = violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`,
      );
      assert.deepEqual(found, [], `${name}, ${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
  }
});
