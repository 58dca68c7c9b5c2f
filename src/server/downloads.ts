import { randomUUID } from "node:crypto";
import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";

/** Exports that go to who asks for them rather than into an object. */
export interface Downloads {
  /** The store with `download:` added to it; the engine of the server writes through it. */
  readonly store: ObjectStore;
  /**
   * What a call writes to a URI, as it is written: the writer waits while the reader is behind.
   *
   * @param work - writes one object to the URI; what it throws before the first byte is thrown here, later it breaks the stream
   */
  open(extension: string, work: (uri: string) => Promise<unknown>): Promise<ReadableStream<Uint8Array>>;
}

type Content = Uint8Array | AsyncIterable<Uint8Array>;

/** Lays the scheme `download:` over a store: one reader, who is there before the object is written. */
export function createDownloads(store: ObjectStore): Downloads {
  const waiting = new Map<string, (content: Content) => Promise<void>>();
  const isDownload = (uri: string): boolean => uri.startsWith("download:");
  const write: ObjectStore["write"] = async (uri, content, options) => {
    if (!isDownload(uri)) return store.write(uri, content, options);
    const take = waiting.get(uri);
    if (take === undefined) throw new RowcallError("STORE_NOT_FOUND", `Nobody waits for ${uri}`);
    await take(content);
    return { uri, size: 0, modifiedAt: 0 };
  };
  return {
    store: {
      ...store,
      write,
      stat: async (uri) => (isDownload(uri) ? undefined : store.stat(uri)),
      identify: async (uri) => (isDownload(uri) ? uri : store.identify(uri)),
    },
    open: async (extension, work) => {
      const uri = `download:${randomUUID()}.${extension}`;
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      const begun = Promise.withResolvers<void>();
      waiting.set(uri, async (content) => {
        begun.resolve();
        for await (const chunk of content instanceof Uint8Array ? [content] : content) await writer.write(chunk);
      });
      const end = async (): Promise<void> => {
        try {
          await work(uri);
          begun.resolve();
          await writer.close();
        } catch (error) {
          begun.reject(error);
          // A reader who left is no failure of anybody.
          await writer.abort(error).catch(() => {});
        } finally {
          waiting.delete(uri);
        }
      };
      void end();
      await begun.promise;
      return readable;
    },
  };
}
