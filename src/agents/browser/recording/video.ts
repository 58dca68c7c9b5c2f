import type { CDPSession, Page } from "playwright-core";
import {
  BufferTarget,
  EncodedPacket,
  EncodedVideoPacketSource,
  Mp4OutputFormat,
  Output,
  WebMOutputFormat,
} from "mediabunny";
import { RowcallError } from "../../../core/errors.ts";
import type { EncodedVideo } from "../page/in-page/film.ts";
import { beginFilm } from "./video-encoder.ts";

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

/**
 * Starts to film a page: pictures from the browser, encoded by the browser itself, in a page of its own.
 *
 * @throws RowcallError DEPENDENCY_MISSING when this browser cannot encode video
 */
export async function startVideo(page: Page): Promise<VideoRecording> {
  const browser = page.context().browser();
  if (browser === null) throw new RowcallError("BROWSER_CRASHED", "The browser ended before the video began");
  const size = page.viewportSize() ?? { width: 1280, height: 720 };
  const film = await beginFilm(browser, size);
  const session = await page.context().newCDPSession(page);
  const startedAt = performance.now();
  const frames = followFrames(session, (picture) => film.add(picture, performance.now() - startedAt));
  const { width: maxWidth, height: maxHeight } = size;
  await session.send("Page.startScreencast", { format: "jpeg", quality: 80, maxWidth, maxHeight });

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
    description: video.description === undefined ? undefined : Buffer.from(video.description, "base64"),
  };
  for (const [index, frame] of video.packets.entries()) {
    const next = video.packets[index + 1]?.timestampMs ?? frame.timestampMs + shortestFrameMs;
    const [at, long] = [frame.timestampMs / 1000, (next - frame.timestampMs) / 1000];
    const packet = new EncodedPacket(Buffer.from(frame.data, "base64"), frame.key ? "key" : "delta", at, long);
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
