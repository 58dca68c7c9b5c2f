import { launchBrowser, sandboxHint } from "../agents/browser/browser-process.ts";
import { listChromiumCandidates, type ChromiumBinary, type ChromiumCandidate } from "../agents/browser/chromium.ts";
import { messageOf } from "../core/errors.ts";
import type { AgentHost } from "../agents/agent-host.ts";
import type { ShownCheck } from "./check-lines.ts";

/** The browser that was found, and every place that was looked at. */
export interface ChromiumCheck extends ShownCheck {
  readonly id: "chromium";
  readonly candidates: readonly ChromiumCandidate[];
}

const hint =
  "Browser agents need one: install Chrome or Chromium, or name one with --chromium or ROWCALL_CHROMIUM. Other agents do without.";

/** Whether pages run in Chromium's sandbox. */
export interface SandboxCheck extends ShownCheck {
  readonly id: "sandbox";
}

/** Checks that there is a Chromium that comes up and shows a page, and that it has its sandbox. */
export async function checkChromium({
  chromiumPath: explicitPath,
  requireSandbox,
}: Pick<AgentHost, "chromiumPath" | "requireSandbox">): Promise<readonly [ChromiumCheck, SandboxCheck]> {
  const candidates = await listChromiumCandidates({ explicitPath });
  const common = { id: "chromium", title: "Chromium comes up and shows a page", candidates } as const;
  const binary = candidates.find((candidate) => candidate.binary !== undefined)?.binary;
  const sandbox = { id: "sandbox", title: "Pages run in Chromium's sandbox" } as const;
  const fails = (detail: string): readonly [ChromiumCheck, SandboxCheck] => [
    { ...common, status: "failed", detail, hint },
    { ...sandbox, status: "skipped", detail: "There is no browser to look at" },
  ];
  if (binary === undefined) return fails(`None works. ${describe(candidates)}`);
  let unsandboxed: string | undefined;
  try {
    unsandboxed = await showPage(binary);
  } catch (thrown) {
    return fails(messageOf(thrown));
  }
  const detail = `${binary.version} (${binary.source}: ${binary.path}). ${describe(candidates)}`;
  return [
    { ...common, status: "passed", detail },
    unsandboxed === undefined
      ? { ...sandbox, status: "passed", detail: "It is on" }
      : {
          ...sandbox,
          status: requireSandbox === true ? "failed" : "warning",
          detail: `It is off: ${unsandboxed}. A site that breaks into the browser has this user's rights.`,
          hint: sandboxHint,
        },
  ];
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

function describe(candidates: readonly ChromiumCandidate[]): string {
  return `Looked at: ${candidates.map(({ source, path, reason }) => `${source} ${path} (${reason ?? "works"})`).join("; ")}`;
}
