import { join, relative } from "node:path";
import type { ObjectInfo, ObjectStore } from "../src/core/object-store.ts";
import { openFileStore } from "../src/stores/file-store.ts";

/** One use of a store, as it begins or ends. */
export interface StoreMark {
  /** Such as `read s3://bucket/runs/1/run.json`. */
  readonly what: string;
  readonly edge: "begin" | "end";
  /** Seconds since the process began. */
  readonly at: number;
  /** Bytes that passed, once it has ended. */
  readonly bytes: number;
}

/**
 * A folder that answers `s3://bucket/key` with its file `bucket/key`: everything of S3 but the network.
 *
 * @param onMark - told of each read and write
 */
export function openBucketStore(folder: string, onMark: (mark: StoreMark) => void): ObjectStore {
  const files = openFileStore({ baseDirectory: folder });
  const toFile = (uri: string): string => join(folder, uri.replace(/^s3:\/\//, ""));
  const back = (info: ObjectInfo): ObjectInfo => ({ ...info, uri: `s3://${relative(folder, info.uri)}` });
  const mark = (what: string, edge: StoreMark["edge"], bytes = 0): void =>
    onMark({ what, edge, at: performance.now() / 1000, bytes });

  return {
    async *read(uri, range) {
      let bytes = 0;
      mark(`read ${uri}`, "begin");
      for await (const chunk of files.read(toFile(uri), range)) {
        bytes += chunk.length;
        yield chunk;
      }
      mark(`read ${uri}`, "end", bytes);
    },
    write: async (uri, content, options) => {
      mark(`write ${uri}`, "begin");
      const info = await files.write(toFile(uri), content, options);
      mark(`write ${uri}`, "end", info.size);
      return back(info);
    },
    stat: async (uri) => {
      const info = await files.stat(toFile(uri));
      return info && back(info);
    },
    identify: (uri) => files.identify(toFile(uri)),
    async *list(prefix) {
      for await (const info of files.list(toFile(prefix))) yield back(info);
    },
    delete: (uri) => files.delete(toFile(uri)),
    copy: async (from, to, options) => back(await files.copy(toFile(from), toFile(to), options)),
  };
}
