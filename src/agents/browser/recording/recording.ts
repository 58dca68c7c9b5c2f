import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BrowserContext } from "playwright-core";
import type { Artifacts, RecordingLevel } from "../../../core/agent.ts";
import { messageOf, RowcallError } from "../../../core/errors.ts";
import { maskBytes, noMask, type Mask } from "../../../core/mask.ts";
import { LateError, within } from "../../within.ts";
import { makeScratchFolder } from "../chromium/scratch-folder.ts";
import type { Tab } from "../page/tab.ts";
import type { Tabs } from "../page/tabs.ts";
import type { VideoRecording } from "./video.ts";

/** The evidence of an attempt. */
export interface Recording {
  /**
   * Keeps a picture of what the page shows, whatever the level: it was asked for.
   *
   * @param name - without extension; a name that is taken gets a number
   * @returns the picture's URI
   * @throws RowcallError STEP_FAILED when the page gives none; what the store says when it cannot be kept
   */
  screenshot(name: string): Promise<string>;
  /**
   * Ends the recording and keeps what belongs to its level. What cannot be kept becomes a step record that says so: evidence never
   * changes how an attempt ends.
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

/** Refusals of a picture, by a browser whose document stays, before it fails. */
const mostRefusals = 3;

/** Settles when the page has been drawn; a page in the background is not, so it does not wait for long. */
const drawn = "new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 200); })";

/**
 * Starts to record the tabs of an attempt; a film and a trace that cannot be begun become step records that say so.
 *
 * @param mask - what is taken out of the trace when it is kept
 */
export async function startRecording(
  level: RecordingLevel,
  tabs: Tabs,
  artifacts: Artifacts,
  mask: () => Mask = () => noMask,
): Promise<Recording> {
  const { page } = tabs.current;
  const context = page.context();
  let latest: string | undefined;
  const keep = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    const startedAt = performance.now();
    try {
      return await work();
    } catch (thrown) {
      const durationMs = performance.now() - startedAt;
      const detail = `The recording is not complete: ${messageOf(thrown)}`;
      artifacts.step({ name: `keep the ${what}`, status: "failed", durationMs, detail });
      return undefined;
    }
  };
  const video: VideoRecording | undefined =
    level === "video" ? await keep("video", async () => (await import("./video.ts")).startVideo(page)) : undefined;
  const isTracing =
    level === "trace" &&
    (await keep("trace", () => context.tracing.start({ screenshots: true, snapshots: true }).then(() => true)));

  async function keepPicture(name: string, asItStands: boolean): Promise<string> {
    latest = await artifacts.save(pictureName(name), await takePicture(tabs, asItStands), "image/jpeg");
    return latest;
  }

  async function saveVideo(film: VideoRecording): Promise<string> {
    const { content, extension, contentType } = await film.finish();
    return artifacts.save(`recording.${extension}`, content, contentType);
  }

  async function saveTrace(): Promise<string> {
    const trace = await maskTrace(mask(), await endTrace(context));
    return artifacts.save("trace.zip", trace, "application/zip");
  }

  async function finish(name: "final" | "failure"): Promise<string | undefined> {
    const film = video === undefined ? undefined : await keep("video", () => saveVideo(video));
    // A film shows the end too, unless there is none; a failure's picture is wanted in any case.
    if (level !== "none" && (film === undefined || name === "failure"))
      // A failure is shown as it stands: what is on its way may be what never comes.
      await keep("last picture", () => keepPicture(name, name === "failure"));
    if (isTracing === true) {
      const trace = await keep("trace", saveTrace);
      latest ??= trace;
    }
    return film ?? latest;
  }

  return { screenshot: (name) => keepPicture(name, false), finish, discard: () => video?.discard() };
}

/** A name that is safe for files; one that is taken gets a number from the artifacts. */
function pictureName(name: string): string {
  const safe = name.replaceAll(/[^\p{L}\p{N}_-]+/gu, "-").replaceAll(/^-+|(?<!-)-+$/g, "");
  return `${safe.slice(0, 80) || "screenshot"}.jpg`;
}

/**
 * Takes a picture of the document that is shown; one that is being left is not what the row has read.
 * The protocol's own command: Playwright's screenshot first waits for fonts and changes the page's styles.
 */
async function takePicture(tabs: Tabs, asItStands: boolean): Promise<Buffer> {
  const deadline = performance.now() + screenshotTimeoutMs;
  const inTime = <T>(work: Promise<T>): Promise<T> => within(work, Math.max(1, deadline - performance.now()));
  try {
    for (let refusals = 0; asItStands || (await tabs.current.arrive(deadline));) {
      const tab = tabs.current;
      const { document } = tab;
      const picture = await inTime(capture(tab));
      if (!asItStands && (tab.document !== document || tab.leavingFor !== undefined)) continue;
      if (Buffer.isBuffer(picture)) return picture;
      // The browser may say so a moment before it says that the document has changed.
      if ((refusals += 1) > mostRefusals) throw picture;
      await inTime(tab.evaluate(drawn, deadline).catch(() => undefined));
    }
  } catch (thrown) {
    if (!(thrown instanceof LateError)) throw thrown;
  }
  throw new RowcallError("STEP_FAILED", `The page gave no screenshot within ${screenshotTimeoutMs / 1000} seconds`, {
    hint: "Look at the page by hand; recording.level none takes no pictures but those of screenshot steps.",
  });
}

/** A picture of what the tab shows, or why the browser gives none, as while one document takes the place of another. */
function capture(tab: Tab): Promise<Buffer | Error> {
  return tab.protocol
    .send("Page.captureScreenshot", { format: "jpeg", quality: 75, optimizeForSpeed: true })
    .then(({ data }) => Buffer.from(data, "base64"))
    .catch((thrown: unknown) => (thrown instanceof Error ? thrown : new Error(messageOf(thrown))));
}

async function endTrace(context: BrowserContext): Promise<Buffer> {
  const folder = await makeScratchFolder();
  try {
    const path = join(folder.path, "trace.zip");
    await context.tracing.stop({ path });
    return await readFile(path);
  } finally {
    await folder.remove();
  }
}

/** A trace without secrets: it holds what was typed, the documents with what stands in their fields, and what was sent. */
async function maskTrace(mask: Mask, trace: Uint8Array): Promise<Uint8Array> {
  if (mask === noMask) return trace;
  const { unzipSync, zipSync } = await import("fflate");
  const masked = Object.entries(unzipSync(trace)).map(([name, content]) => {
    const isMedia = /\.(jpe?g|png|webp|gif|woff2?|ttf|mp4|webm)$/i.test(name);
    return [name, isMedia ? content : maskBytes(mask, content)] as const;
  });
  return zipSync(Object.fromEntries(masked));
}
