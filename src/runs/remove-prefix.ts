import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ObjectStore } from "../core/object-store.ts";

const atOnce = 16;

/**
 * Deletes everything below a prefix, in the file system the folder itself too.
 *
 * @param uri - without a slash at its end; of the file system a `file:` URI
 * @param last - an object that goes last, for who wants to know the prefix again when it is cut off
 * @returns whether there was something
 */
export async function removePrefix(store: ObjectStore, uri: string, last?: string): Promise<boolean> {
  if (uri.startsWith("file:")) {
    const folder = fileURLToPath(uri);
    if (!existsSync(folder)) return false;
    await rm(folder, { recursive: true, force: true });
    return true;
  }
  let found = false;
  let some: string[] = [];
  const removeSome = async (): Promise<void> => {
    await Promise.all(some.map((each) => store.delete(each)));
    some = [];
  };
  for await (const object of store.list(`${uri}/`)) {
    found = true;
    if (object.uri !== last) some.push(object.uri);
    if (some.length === atOnce) await removeSome();
  }
  await removeSome();
  if (found && last !== undefined) await store.delete(last);
  return found;
}
