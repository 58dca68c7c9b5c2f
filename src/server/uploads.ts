import { randomUUID } from "node:crypto";
import { readdir, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { RowcallError } from "../core/errors.ts";
import type { ObjectInfo, ObjectStore } from "../core/object-store.ts";
import { baseName, joinUri } from "../core/uri.ts";
import { uploadsFolder } from "./kept-files.ts";

/** Where uploads go, and how much of them. */
export interface UploadOptions {
  readonly store: ObjectStore;
  /** Folder of uploads, of results when a batch names no output, and of answers that are repeated by their idempotency key. */
  readonly dataDirectory: string;
  /** Largest upload in bytes. @default 10 GiB */
  readonly maxUploadBytes?: number;
  /** Most bytes of all uploads together. @default 50 GiB */
  readonly maxUploadsBytes?: number;
}

/** Takes tables that are brought to the server. */
export interface Uploads {
  /**
   * Writes the body of a request to a file of its own, as it comes; nothing stays of one that breaks off, is too large, or for which
   * there is no room beside the uploads that are there.
   *
   * @param name - as the sender calls it; only its last part is kept, and of that what any file system takes
   * @throws RowcallError REQUEST_TOO_LARGE
   */
  take(request: Request, name: string): Promise<ObjectInfo>;
}

const gibibyte = 1024 ** 3;

/** Creates the uploads of a server. */
export function createUploads(options: UploadOptions): Uploads {
  const { store, dataDirectory, maxUploadBytes = 10 * gibibyte, maxUploadsBytes = 50 * gibibyte } = options;
  // Bytes that have come since the server began: uploads that come at the same time count for each other.
  let received = 0;
  return {
    take: async (request, name) => {
      const others = await uploadedBytes(dataDirectory);
      const before = received;
      const requireRoom = (size: number, together: number): void => {
        if (size > maxUploadBytes) {
          throw new RowcallError("REQUEST_TOO_LARGE", `The table has more than ${maxUploadBytes} bytes`, {
            hint: "Start the server with a larger --max-upload, or name the table's path or URI in the batch.",
          });
        }
        if (others + together > maxUploadsBytes) {
          throw new RowcallError(
            "REQUEST_TOO_LARGE",
            `With the ${others} bytes of earlier uploads, uploads would take more than ${maxUploadsBytes} bytes`,
            {
              hint: "Remove uploads that no run will be started from, or start the server with a larger --max-uploads or fewer --keep-days.",
            },
          );
        }
      };
      const expected = Number(request.headers.get("content-length") ?? 0);
      requireRoom(expected, expected);
      const limited = async function* (): AsyncGenerator<Uint8Array> {
        let size = 0;
        for await (const chunk of request.body ?? []) {
          size += (chunk as Uint8Array).length;
          received += (chunk as Uint8Array).length;
          requireRoom(size, received - before);
          yield chunk;
        }
      };
      const folder = joinUri(dataDirectory, uploadsFolder, randomUUID());
      try {
        return await store.write(joinUri(folder, plainName(name)), limited(), {
          ifAbsent: true,
          contentType: "text/csv",
        });
      } catch (error) {
        await rmdir(folder).catch(() => {});
        throw error;
      }
    },
  };
}

function plainName(name: string): string {
  const plain = baseName(name).replace(/[^\p{L}\p{N} ._-]/gu, "_");
  return plain.replace(/^\.+/, "_") || "table.csv";
}

/** Bytes of all uploads that are there. */
async function uploadedBytes(dataDirectory: string): Promise<number> {
  const root = join(dataDirectory, uploadsFolder);
  const names = await readdir(root, { recursive: true }).catch(() => []);
  const sizes = names.map(async (name) => {
    const found = await stat(join(root, name)).catch(() => undefined);
    return found?.isFile() === true ? found.size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
