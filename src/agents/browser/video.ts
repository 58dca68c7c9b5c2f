import type { Browser, CDPSession, Page } from "playwright-core";
import {
  BufferTarget,
  EncodedPacket,
  EncodedVideoPacketSource,
  Mp4OutputFormat,
  Output,
  WebMOutputFormat,
} from "mediabunny";
import { RowcallError } from "../../core/errors.ts";
import { openEncoderPage, type EncodedVideo, type EncoderPage } from "./video-encoder.ts";

/** A film, whole. */
export interface VideoFile {
  readonly content: Uint8Array;
  readonly extension: "mp4" | "webm";
  readonly contentType: string;
}

/** A film that is being made. */
export interface VideoRecording {
  /** Ends the film. */
  finish(): Promise<VideoFile>;
  /** Forgets a film that was not ended. */
  discard(): void;
}

/** The browser takes a picture only when something changed; this is the shortest time between two. */
const shortestFrameMs = 100;

const encoders = new WeakMap<Browser, Promise<EncoderPage>>();

/**
 * Starts to film a page: pictures from the browser, encoded by the browser itself, in a page of its own.
 *
 * @throws RowcallError DEPENDENCY_MISSING when this browser cannot encode video
 */
export async function startVideo(page: Page): Promise<VideoRecording> {
  const browser = page.context().browser();
  if (browser === null) throw new RowcallError("BROWSER_CRASHED", "The browser ended before the video began");
  let opening = encoders.get(browser);
  if (opening === undefined) {
    opening = openEncoderPage(browser);
    encoders.set(browser, opening);
    const forget = (): void => void encoders.delete(browser);
    // Another film gets another page.
    opening.then((encoder) => encoder.over).then(forget, forget);
  }
  const encoder = await opening;
  const size = page.viewportSize() ?? { width: 1280, height: 720 };
  const film = await encoder.start(size.width, size.height);
  const session = await page.context().newCDPSession(page);
  const startedAt = performance.now();
  const frames = followFrames(session, (picture) => film.add(picture, performance.now() - startedAt));
  await session.send("Page.startScreencast", {
    format: "jpeg",
    quality: 80,
    maxWidth: size.width,
    maxHeight: size.height,
  });

  let finished = false;
  return {
    async finish() {
      await session.send("Page.stopScreencast").catch(() => undefined);
      await frames.settled();
      const encoded = await film.finish(performance.now() - startedAt);
      finished = true;
      return writeVideo(encoded);
    },
    discard() {
      if (!finished) void film.drop().catch(() => undefined);
    },
  };
}

/** Hands frames on one at a time; the browser sends the next only when told that the last has arrived. */
function followFrames(session: CDPSession, handle: (picture: string) => Promise<void>): { settled(): Promise<void> } {
  let last = Promise.resolve();
  session.on("Page.screencastFrame", ({ data, sessionId }) => {
    last = last
      .then(() => handle(data))
      // A frame that comes while the browser goes down is no loss.
      .catch(() => undefined)
      .then(() => {
        setTimeout(
          () => void session.send("Page.screencastFrameAck", { sessionId }).catch(() => undefined),
          shortestFrameMs,
        ).unref();
      });
  });
  return { settled: () => last };
}

async function writeVideo(video: EncodedVideo): Promise<VideoFile> {
  const mp4 = video.codec.startsWith("avc1");
  const target = new BufferTarget();
  const output = new Output({
    format: mp4 ? new Mp4OutputFormat({ fastStart: "in-memory" }) : new WebMOutputFormat(),
    target,
  });
  const source = new EncodedVideoPacketSource(mp4 ? "avc" : "vp8");
  output.addVideoTrack(source);
  await output.start();
  const decoderConfig = {
    codec: video.codec,
    codedWidth: video.width,
    codedHeight: video.height,
    ...(video.description === undefined ? {} : { description: Buffer.from(video.description, "base64") }),
  };
  for (const [index, frame] of video.packets.entries()) {
    const next = video.packets[index + 1]?.timestampMs ?? frame.timestampMs + shortestFrameMs;
    const seconds = { at: frame.timestampMs / 1000, long: (next - frame.timestampMs) / 1000 };
    const packet = new EncodedPacket(
      Buffer.from(frame.data, "base64"),
      frame.key ? "key" : "delta",
      seconds.at,
      seconds.long,
    );
    await source.add(packet, { decoderConfig });
  }
  await output.finalize();
  if (target.buffer === null) throw new RowcallError("UNEXPECTED", "The video has no content");
  return {
    content: new Uint8Array(target.buffer),
    extension: mp4 ? "mp4" : "webm",
    contentType: mp4 ? "video/mp4" : "video/webm",
  };
}
