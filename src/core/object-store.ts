import { RowcallError } from "./errors.ts";

/** What is known of a stored object. */
export interface ObjectInfo {
  readonly uri: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, UTC. */
  readonly modifiedAt: number;
}

/** Bytes `start` to `end`, both 0-based; `end` is exclusive and defaults to the object's end. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/** Name of the object by which it is tried whether a place can be written. */
export const probeName = ".rowcall-probe";

/** How an object is written. */
export interface WriteOptions {
  /** Fail with OUTPUT_EXISTS rather than replace. @default false */
  readonly ifAbsent?: boolean;
  readonly contentType?: string;
}

/** Bytes by URI. Errors: STORE_NOT_FOUND, STORE_DENIED, STORE_FAILED; OUTPUT_EXISTS from a write with `ifAbsent`. */
export interface ObjectStore {
  /** The object's bytes as they arrive; never more than a few chunks in memory. */
  read(uri: string, range?: ByteRange): AsyncIterable<Uint8Array>;
  /** Writes all or nothing: the object appears only when it is whole. */
  write(uri: string, content: Uint8Array | AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<ObjectInfo>;
  /** Undefined when there is no such object. */
  stat(uri: string): Promise<ObjectInfo | undefined>;
  /** Text that two URIs have in common when they name the same object; the object need not be there. */
  identify(uri: string): Promise<string>;
  /** Objects whose URI begins with the prefix, in order of their URIs. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Deletes an object; deleting what is not there is fine. */
  delete(uri: string): Promise<void>;
  /** Writes an object's bytes under another URI, as `write` does; within a store they need not pass through this machine. */
  copy(from: string, to: string, options?: WriteOptions): Promise<ObjectInfo>;
}

/** What writing with `ifAbsent` comes to where something is. */
export function objectExists(uri: string, cause?: unknown): RowcallError {
  return new RowcallError("OUTPUT_EXISTS", `${uri} exists already`, {
    hint: "Choose another name, or delete it first.",
    cause,
  });
}
