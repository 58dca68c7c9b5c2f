import { launchBrowser } from "../agents/browser/browser-process.ts";
import { listChromiumCandidates, type ChromiumBinary, type ChromiumCandidate } from "../agents/browser/chromium.ts";
import { messageOf } from "../core/errors.ts";
import type { ShownCheck } from "./check-lines.ts";

/** The browser that was found, and every place that was looked at. */
export interface ChromiumCheck extends ShownCheck {
  readonly id: "chromium";
  readonly candidates: readonly ChromiumCandidate[];
}

const hint =
  "Browser agents need one: install Chrome or Chromium, or name one with --chromium or ROWCALL_CHROMIUM. Other agents do without.";

/** Checks that there is a Chromium that comes up and shows a page. */
export async function checkChromium(explicitPath: string | undefined): Promise<ChromiumCheck> {
  const candidates = await listChromiumCandidates({ explicitPath });
  const common = { id: "chromium", title: "Chromium comes up and shows a page", candidates } as const;
  const binary = candidates.find((candidate) => candidate.binary !== undefined)?.binary;
  if (binary === undefined) return { ...common, status: "failed", detail: `None works. ${describe(candidates)}`, hint };
  try {
    await showPage(binary);
  } catch (thrown) {
    return { ...common, status: "failed", detail: messageOf(thrown), hint };
  }
  return {
    ...common,
    status: "passed",
    detail: `${binary.version} (${binary.source}: ${binary.path}). ${describe(candidates)}`,
  };
}

async function showPage(binary: ChromiumBinary): Promise<void> {
  const { browser, end } = await launchBrowser(binary);
  try {
    const page = await browser.newPage();
    await page.goto("about:blank");
  } finally {
    await end();
  }
}

function describe(candidates: readonly ChromiumCandidate[]): string {
  return `Looked at: ${candidates.map(({ source, path, reason }) => `${source} ${path} (${reason ?? "works"})`).join("; ")}`;
}
