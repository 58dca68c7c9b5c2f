import { randomUUID } from "node:crypto";
import { rmdir } from "node:fs/promises";
import { RowcallError } from "../core/errors.ts";
import type { ObjectInfo } from "../core/object-store.ts";
import { baseName, joinUri } from "../core/uri.ts";
import type { ServerContext } from "./server-setup.ts";

/** Where uploads are in the data directory, each in a folder of its own. */
export const uploadsFolder = "uploads";

/**
 * Writes the body of a request to a file of its own, as it comes; nothing stays of one that breaks off or is too large.
 *
 * @param name - as the sender calls it; only its last part is kept, and of that what any file system takes
 * @throws RowcallError REQUEST_TOO_LARGE
 */
export async function takeUpload(
  { store, dataDirectory, maxUploadBytes }: ServerContext,
  request: Request,
  name: string,
): Promise<ObjectInfo> {
  const tooLarge = (): RowcallError =>
    new RowcallError("REQUEST_TOO_LARGE", `The table has more than ${maxUploadBytes} bytes`, {
      hint: "Start the server with a larger --max-upload, or name the table's path or URI in the batch.",
    });
  if (Number(request.headers.get("content-length") ?? 0) > maxUploadBytes) throw tooLarge();
  const file =
    baseName(name)
      .replace(/[^\p{L}\p{N} ._-]/gu, "_")
      .replace(/^\.+/, "_") || "table.csv";
  const folder = joinUri(dataDirectory, uploadsFolder, randomUUID());
  const limited = async function* (): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of request.body ?? []) {
      size += (chunk as Uint8Array).length;
      if (size > maxUploadBytes) throw tooLarge();
      yield chunk;
    }
  };
  try {
    return await store.write(joinUri(folder, file), limited(), { ifAbsent: true, contentType: "text/csv" });
  } catch (error) {
    await rmdir(folder).catch(() => {});
    throw error;
  }
}
