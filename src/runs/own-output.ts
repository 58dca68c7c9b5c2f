import { createHash } from "node:crypto";
import type { ObjectStore } from "../core/object-store.ts";

/** An object as it will be, noted before it appears so that its writer knows it again should its process end in between. */
export interface ExpectedObject {
  readonly uri: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** Where a writer of outputs notes what is about to appear. */
export interface OutputMemory {
  /** What was noted last. */
  readonly expected: ExpectedObject | null;
  note(expected: ExpectedObject): void | Promise<void>;
}

/** The content of an object, which is noted after its last byte: a store shows the object only after that. */
export async function* notedContent(
  content: AsyncIterable<Uint8Array>,
  uri: string,
  { note }: OutputMemory,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    size += chunk.length;
    yield chunk;
  }
  await note({ uri, size, sha256: hash.digest("hex") });
}

/** Whether the object that was expected is there. One that may not be looked at is taken for another. */
export async function isThere(store: ObjectStore, { uri, size, sha256 }: ExpectedObject): Promise<boolean> {
  try {
    if ((await store.stat(uri))?.size !== size) return false;
    const hash = createHash("sha256");
    for await (const chunk of store.read(uri)) hash.update(chunk);
    return hash.digest("hex") === sha256;
  } catch {
    return false;
  }
}
