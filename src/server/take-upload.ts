import { randomUUID } from "node:crypto";
import { rmdir } from "node:fs/promises";
import { RowcallError } from "../core/errors.ts";
import type { ObjectInfo } from "../core/object-store.ts";
import { baseName, joinUri } from "../core/uri.ts";
import { uploadedBytes, uploadsFolder } from "./kept-files.ts";
import type { ServerContext } from "./server-setup.ts";

/**
 * Writes the body of a request to a file of its own, as it comes; nothing stays of one that breaks off, is too large, or for which there
 * is no room beside the uploads that are there.
 *
 * @param name - as the sender calls it; only its last part is kept, and of that what any file system takes
 * @throws RowcallError REQUEST_TOO_LARGE
 */
export async function takeUpload(
  { store, dataDirectory, maxUploadBytes, maxUploadsBytes, uploaded }: ServerContext,
  request: Request,
  name: string,
): Promise<ObjectInfo> {
  const tooLarge = (): RowcallError =>
    new RowcallError("REQUEST_TOO_LARGE", `The table has more than ${maxUploadBytes} bytes`, {
      hint: "Start the server with a larger --max-upload, or name the table's path or URI in the batch.",
    });
  const others = await uploadedBytes(dataDirectory);
  const noRoom = (): RowcallError =>
    new RowcallError(
      "REQUEST_TOO_LARGE",
      `With the ${others} bytes of earlier uploads, uploads would take more than ${maxUploadsBytes} bytes`,
      {
        hint: "Remove uploads that no run will be started from, or start the server with a larger --max-uploads or fewer --keep-days.",
      },
    );
  // Also those that come at the same time count.
  const before = uploaded.bytes;
  const expected = Number(request.headers.get("content-length") ?? 0);
  if (expected > maxUploadBytes) throw tooLarge();
  if (others + expected > maxUploadsBytes) throw noRoom();
  const file =
    baseName(name)
      .replace(/[^\p{L}\p{N} ._-]/gu, "_")
      .replace(/^\.+/, "_") || "table.csv";
  const folder = joinUri(dataDirectory, uploadsFolder, randomUUID());
  const limited = async function* (): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of request.body ?? []) {
      size += (chunk as Uint8Array).length;
      uploaded.bytes += (chunk as Uint8Array).length;
      if (size > maxUploadBytes) throw tooLarge();
      if (others + uploaded.bytes - before > maxUploadsBytes) throw noRoom();
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
