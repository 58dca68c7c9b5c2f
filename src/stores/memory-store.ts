import { RowcallError } from "../core/errors.ts";
import { objectExists, type ByteRange, type ObjectInfo, type ObjectStore } from "../core/object-store.ts";
import type { Clock } from "../core/services.ts";

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
}

const chunkBytes = 64 * 1024;

/** Opens a store that lives as long as the process: `memory:` URIs, any text after the colon. */
export function openMemoryStore({ clock }: { readonly clock: Clock }): ObjectStore {
  const objects = new Map<string, StoredObject>();
  const write: ObjectStore["write"] = async (uri, content, { ifAbsent = false } = {}) => {
    const bytes = await collect(content);
    if (ifAbsent && objects.has(uri)) throw objectExists(uri);
    const object = { bytes, modifiedAt: clock() };
    objects.set(uri, object);
    return infoOf(uri, object);
  };
  return {
    read: (uri, range) => readObject(objects, uri, range),
    write,
    stat: async (uri) => {
      const object = objects.get(uri);
      return object && infoOf(uri, object);
    },
    identify: async (uri) => uri,
    async *list(prefix) {
      for (const uri of [...objects.keys()].sort()) {
        const object = objects.get(uri);
        if (object !== undefined && uri.startsWith(prefix)) yield infoOf(uri, object);
      }
    },
    delete: async (uri) => void objects.delete(uri),
    copy: (from, to, options) => write(to, readObject(objects, from), options),
  };
}

async function* readObject(
  objects: ReadonlyMap<string, StoredObject>,
  uri: string,
  range: ByteRange = { start: 0 },
): AsyncGenerator<Uint8Array> {
  const object = objects.get(uri);
  if (object === undefined) {
    throw new RowcallError("STORE_NOT_FOUND", `Cannot read ${uri}: there is no such object`, {
      hint: "A memory: object lasts as long as the process that wrote it.",
    });
  }
  const end = Math.min(range.end ?? object.bytes.length, object.bytes.length);
  for (let at = range.start; at < end; at += chunkBytes) yield object.bytes.slice(at, Math.min(at + chunkBytes, end));
}

async function collect(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  // Copied: the writer may reuse its buffer.
  if (content instanceof Uint8Array) return new Uint8Array(content);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(new Uint8Array(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

function infoOf(uri: string, { bytes, modifiedAt }: StoredObject): ObjectInfo {
  return { uri, size: bytes.length, modifiedAt };
}
