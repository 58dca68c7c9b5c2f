import { Readable } from "node:stream";
import type { Context } from "hono";
import type { Artifact } from "../core/attempt.ts";
import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";

/** Chunks as the body of an answer; they are asked for as fast as the reader takes them, and no more once it has left. */
export function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return Readable.toWeb(Readable.from(chunks, { objectMode: false })) as ReadableStream<Uint8Array>;
}

// What a browser shows without running anything of it; all else is downloaded.
const shown = /^(?:image\/(?:png|jpeg|webp|gif)|video\/(?:webm|mp4)|text\/plain)(?:;|$)/;

/**
 * Answers with a stored file, or with the range of it that is asked for.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-range
 */
export async function sendObject(
  c: Context,
  store: ObjectStore,
  { name, uri, contentType }: Artifact,
): Promise<Response> {
  const info = await store.stat(uri);
  if (info === undefined) {
    throw new RowcallError("STORE_NOT_FOUND", `The recording ${uri} is not there any more`, {
      hint: "Recordings are kept until they are deleted.",
    });
  }
  const { size } = info;
  const isShown = shown.test(contentType);
  c.header("Content-Type", isShown ? contentType : "application/octet-stream");
  c.header("Content-Disposition", `${isShown ? "inline" : "attachment"}; filename*=UTF-8''${encodeURIComponent(name)}`);
  c.header("Accept-Ranges", "bytes");
  c.header("Cache-Control", "private, max-age=3600");
  const range = readRange(c.req.header("range"), size);
  if (range === undefined) {
    c.header("Content-Length", String(size));
    return c.body(streamOf(store.read(uri)));
  }
  const [start, end] = range;
  if (start >= end) {
    c.header("Content-Range", `bytes */${size}`);
    return c.body(null, 416);
  }
  c.header("Content-Range", `bytes ${start}-${end - 1}/${size}`);
  c.header("Content-Length", String(end - start));
  return c.body(streamOf(store.read(uri, { start, end })), 206);
}

/** The range a header asks for, end exclusive; undefined when it asks for none, or for several. */
function readRange(header: string | undefined, size: number): readonly [start: number, end: number] | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") return [Math.max(0, size - Number(to)), size];
  return [Number(from), to === "" ? size : Math.min(size, Number(to) + 1)];
}
