import type { Browser, Page } from "playwright-core";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { meansGone } from "./failures.ts";

/** One encoded frame. */
export interface EncodedFrame {
  /** Base64. */
  readonly data: string;
  readonly key: boolean;
  /** Since the film's start. */
  readonly timestampMs: number;
}

/** An encoded film, not yet in a file. */
export interface EncodedVideo {
  /** As WebCodecs names it: `avc1.42E01F`, `vp8`. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** What a decoder needs to know beforehand, base64; only some codecs have it. */
  readonly description?: string;
  readonly packets: readonly EncodedFrame[];
}

/** A film in the making. */
export interface Film {
  /**
   * Adds a picture.
   *
   * @param picture - JPEG, base64
   * @param atMs - since the film's start
   */
  add(picture: string, atMs: number): Promise<void>;
  /** Shows the last picture until `atMs` and answers with the film. */
  finish(atMs: number): Promise<EncodedVideo>;
  /** Forgets the film. */
  drop(): Promise<void>;
}

/** A page whose browser encodes video. */
export interface EncoderPage {
  /** Settles when the page has crashed or was closed, and films nothing more. */
  readonly over: Promise<void>;
  /** @throws RowcallError DEPENDENCY_MISSING when the browser has no encoder for this size */
  start(width: number, height: number): Promise<Film>;
}

/** The page is never loaded from anywhere; only secure origins may encode. */
const address = "https://encoder.invalid/";

// Text, because it runs in the page, whose globals this project's types do not have.
const script = `
const films = new Map();
const codecs = ["avc1.42E01F", "avc1.42E028", "avc1.42E033", "vp8"];

async function start(id, width, height) {
  if (typeof VideoEncoder === "undefined") return false;
  for (const codec of codecs) {
    const config = { codec, width, height, bitrate: 1_500_000, framerate: 10, latencyMode: "realtime" };
    const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({ supported: false }));
    if (!supported) continue;
    const film = { codec, width, height, packets: [], description: undefined, error: undefined, frames: 0 };
    film.canvas = new OffscreenCanvas(width, height);
    film.pen = film.canvas.getContext("2d");
    film.encoder = new VideoEncoder({ output: (chunk, metadata) => keep(film, chunk, metadata), error: (error) => (film.error = error) });
    film.encoder.configure(config);
    films.set(id, film);
    return true;
  }
  return false;
}

function keep(film, chunk, metadata) {
  const bytes = new Uint8Array(chunk.byteLength);
  chunk.copyTo(bytes);
  const description = metadata?.decoderConfig?.description;
  if (description !== undefined) film.description = toBase64(new Uint8Array(description.buffer ?? description));
  film.packets.push({ data: toBase64(bytes), key: chunk.type === "key", timestampMs: chunk.timestamp / 1000 });
}

function toBase64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

async function add(id, picture, atMs) {
  const film = films.get(id);
  const response = await fetch("data:image/jpeg;base64," + picture);
  const image = await createImageBitmap(await response.blob());
  film.pen.drawImage(image, 0, 0);
  image.close();
  encode(film, atMs);
}

function encode(film, atMs) {
  if (film.error !== undefined) throw film.error;
  const frame = new VideoFrame(film.canvas, { timestamp: Math.round(atMs * 1000) });
  film.encoder.encode(frame, { keyFrame: film.frames % 100 === 0 });
  film.frames += 1;
  frame.close();
}

async function finish(id, atMs) {
  const film = films.get(id);
  films.delete(id);
  encode(film, atMs);
  await film.encoder.flush();
  film.encoder.close();
  if (film.error !== undefined) throw film.error;
  const { codec, width, height, description, packets } = film;
  return { codec, width, height, description, packets };
}

function drop(id) {
  films.get(id)?.encoder.close();
  films.delete(id);
}

globalThis.rowcallFilms = { start, add, finish, drop };
`;

/**
 * Opens a page that encodes video with the browser's own encoder: nothing is downloaded, no other program is needed.
 *
 * @throws RowcallError DEPENDENCY_MISSING when this browser cannot encode
 */
export async function openEncoderPage(browser: Browser): Promise<EncoderPage> {
  const context = await browser.newContext({ viewport: { width: 100, height: 100 } });
  const page = await context.newPage();
  await page.route(address, (route) => route.fulfill({ contentType: "text/html", body: "<title>encoder</title>" }));
  await page.goto(address);
  await page.evaluate(script);
  let films = 0;
  const over = new Promise<void>((resolve) => {
    page.once("crash", () => resolve());
    page.once("close", () => resolve());
  });
  return {
    over,
    async start(width, height) {
      // Codecs want even sizes.
      const size = [width + (width % 2), height + (height % 2)];
      films += 1;
      const id = films;
      if (!(await callPage<boolean>(page, "start", id, ...size))) {
        throw new RowcallError(
          "DEPENDENCY_MISSING",
          `This browser cannot encode video of ${width} by ${height} pixels`,
          {
            hint: "Record screenshots or a trace, or name another Chrome or Chromium with --chromium.",
          },
        );
      }
      return {
        add: (picture, atMs) => callPage(page, "add", id, picture, atMs),
        finish: (atMs) => callPage(page, "finish", id, atMs),
        drop: () => callPage(page, "drop", id),
      };
    },
  };
}

async function callPage<T>(
  page: Page,
  name: "start" | "add" | "finish" | "drop",
  ...values: readonly (number | string)[]
): Promise<T> {
  try {
    return await page.evaluate(
      ([method, given]) => {
        const { rowcallFilms } = globalThis as unknown as {
          rowcallFilms: Record<string, (...all: readonly unknown[]) => T>;
        };
        return rowcallFilms[method]!(...given);
      },
      [name, values] as const,
    );
  } catch (cause) {
    const code = page.isClosed() || meansGone(cause) ? "BROWSER_CRASHED" : "DEPENDENCY_MISSING";
    throw new RowcallError(code, `The video could not be encoded: ${messageOf(cause).split("\n")[0]}`, { cause });
  }
}
