import type { AgentHost } from "../../agents/agent-host.ts";
import { launchBrowser, sandboxHint } from "../../agents/browser/chromium/browser-process.ts";
import {
  listChromiumCandidates,
  type ChromiumBinary,
  type ChromiumCandidate,
} from "../../agents/browser/chromium/chromium.ts";
import { messageOf } from "../../core/errors.ts";
import type { Finding } from "../print/print-checks.ts";

/** What was found about the browser. */
export interface BrowserFindings {
  /** The browser, and every place that was looked at. */
  readonly chromium: Finding & { readonly candidates: readonly ChromiumCandidate[] };
  readonly sandbox: Finding;
}

const hint =
  "Browser agents need one: install Chrome or Chromium, or name one with --chromium or ROWCALL_CHROMIUM. Other agents need none.";

/** Looks for a Chromium that starts and shows a page, and for its sandbox. */
export async function lookAtBrowser(
  host: Pick<AgentHost, "chromiumPath" | "requireSandbox">,
): Promise<BrowserFindings> {
  const candidates = await listChromiumCandidates({ explicitPath: host.chromiumPath });
  const tried = candidates.map(({ source, path, reason }) => `${source} ${path} (${reason ?? "works"})`).join("; ");
  const failed = (detail: string): BrowserFindings => ({
    chromium: { status: "failed", detail, hint, candidates },
    sandbox: { status: "skipped", detail: "There is no browser to look at" },
  });
  const binary = candidates.find((candidate) => candidate.binary !== undefined)?.binary;
  if (binary === undefined) return failed(`None works. Looked at: ${tried}`);
  try {
    const unsandboxed = await showPage(binary);
    const detail = `${binary.version} (${binary.source}: ${binary.path}). Looked at: ${tried}`;
    return {
      chromium: { status: "passed", detail, candidates },
      sandbox:
        unsandboxed === undefined
          ? { status: "passed", detail: "It is on" }
          : {
              status: host.requireSandbox === true ? "failed" : "warning",
              detail: `It is off: ${unsandboxed}. A site that breaks into the browser has this user's rights.`,
              hint: sandboxHint,
            },
    };
  } catch (thrown) {
    return failed(messageOf(thrown));
  }
}

/** Returns why the browser has no sandbox; undefined when it has. */
async function showPage(binary: ChromiumBinary): Promise<string | undefined> {
  const { browser, unsandboxed, end } = await launchBrowser(binary);
  try {
    const page = await browser.newPage();
    await page.goto("about:blank");
    return unsandboxed;
  } finally {
    await end();
  }
}
