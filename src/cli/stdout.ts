import process from "node:process";
import { Writable } from "node:stream";
import type { ObjectStore } from "../core/object-store.ts";
import { write, type Output } from "./io.ts";

/**
 * Keeps standard output for data: what anything else prints there, such as an agent's `console.log`, goes to standard error.
 *
 * @returns standard output itself; its errors are emitted here, not at `process.stdout`
 */
export function divertStdout(): Output {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  stdout.on("error", () => {});
  const output = new Writable({ write: (chunk: Buffer, _encoding, done) => void write(chunk, done) });
  return Object.defineProperties(output, {
    isTTY: { get: () => stdout.isTTY },
    columns: { get: () => stdout.columns },
  });
}

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
