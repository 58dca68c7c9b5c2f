import type { ObjectStore } from "../core/object-store.ts";
import { write, type Output } from "./io.ts";

/** A store in which the object `-` is standard output: it can be written, as often as one likes, and never exists. */
export function withStdout(store: ObjectStore, stdout: Output): ObjectStore {
  const writeTo: ObjectStore["write"] = async (uri, content, options) => {
    if (uri !== "-") return store.write(uri, content, options);
    let size = 0;
    for await (const chunk of content instanceof Uint8Array ? [content] : content) {
      size += chunk.length;
      await write(stdout, chunk);
    }
    return { uri, size, modifiedAt: Date.now() };
  };
  return {
    ...store,
    stat: async (uri) => (uri === "-" ? undefined : store.stat(uri)),
    identify: async (uri) => (uri === "-" ? uri : store.identify(uri)),
    write: writeTo,
    copy: (from, to, options) => (to === "-" ? writeTo(to, store.read(from)) : store.copy(from, to, options)),
  };
}
