import { Readable } from "node:stream";

/** Chunks as the body of an answer; they are asked for as fast as the reader takes them, and no more once it has left. */
export function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return Readable.toWeb(Readable.from(chunks, { objectMode: false })) as ReadableStream<Uint8Array>;
}
