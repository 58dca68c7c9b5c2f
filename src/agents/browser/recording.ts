import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import type { Artifacts, RecordingLevel } from "../../core/agent.ts";
import { RowcallError } from "../../core/errors.ts";
import type { VideoRecording } from "./video.ts";

/** What an attempt leaves behind. */
export interface Recording {
  /**
   * Keeps a picture of what the page shows, whatever the level: it was asked for.
   *
   * @param name - without extension; a name used before gets a number
   * @returns the picture's URI
   */
  screenshot(name: string): Promise<string>;
  /**
   * Ends the recording and keeps what belongs to its level.
   *
   * @param name - of the last picture: `final` or `failure`
   * @returns URI of what shows best what happened; undefined when nothing was kept
   */
  finish(name: "final" | "failure"): Promise<string | undefined>;
  /** Lets go of a recording that was not finished; without effect on a finished one. */
  discard(): void;
}

/** A page that does not answer must not hold up the row. */
const screenshotTimeoutMs = 10_000;

/** Starts to record a page. */
export async function startRecording(level: RecordingLevel, page: Page, artifacts: Artifacts): Promise<Recording> {
  const context = page.context();
  const names = new Map<string, number>();
  let latest: string | undefined;
  let video: VideoRecording | undefined;
  if (level === "trace") await context.tracing.start({ screenshots: true, snapshots: true });
  if (level === "video") video = await (await import("./video.ts")).startVideo(page);

  async function screenshot(name: string): Promise<string> {
    const file = unusedName(names, name);
    latest = await artifacts.save(file, await takePicture(page), "image/jpeg");
    return latest;
  }

  async function finish(name: "final" | "failure"): Promise<string | undefined> {
    if (video !== undefined) {
      const { content, extension, contentType } = await video.finish();
      const uri = await artifacts.save(`recording.${extension}`, content, contentType);
      if (name === "failure") await screenshot(name);
      return uri;
    }
    if (level !== "none") await screenshot(name);
    if (level === "trace") {
      const uri = await artifacts.save("trace.zip", await endTrace(context), "application/zip");
      latest ??= uri;
    }
    return latest;
  }

  return { screenshot, finish, discard: () => video?.discard() };
}

function unusedName(names: Map<string, number>, name: string): string {
  const safe =
    name
      .replaceAll(/[^\p{L}\p{N}_-]+/gu, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 80) || "screenshot";
  const count = (names.get(safe) ?? 0) + 1;
  names.set(safe, count);
  return count === 1 ? `${safe}.jpg` : `${safe}-${count}.jpg`;
}

/** The protocol's own command: Playwright's screenshot first waits for fonts and changes the page's styles. */
async function takePicture(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new RowcallError("PAGE_UNEXPECTED", "The page gave no screenshot within 10 seconds")),
      screenshotTimeoutMs,
    );
  });
  try {
    const taken = session.send("Page.captureScreenshot", { format: "jpeg", quality: 75, optimizeForSpeed: true });
    const { data } = await Promise.race([late, taken]);
    return Buffer.from(data, "base64");
  } finally {
    clearTimeout(timer);
  }
}

async function endTrace(context: BrowserContext): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-trace-"));
  try {
    const path = join(folder, "trace.zip");
    await context.tracing.stop({ path });
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
