import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RowcallError } from "../../core/errors.ts";

/**
 * The server's token: made at the first start and kept in the data directory, where only its owner can read it.
 *
 * @throws RowcallError STORE_DENIED when the file can be neither read nor made
 */
export async function openToken(dataDirectory: string): Promise<string> {
  const path = join(dataDirectory, "server-token");
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await writeFile(path, randomBytes(32).toString("base64url"), { flag: "wx", mode: 0o600 }).catch(
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      },
    );
    await chmod(path, 0o600);
    const token = (await readFile(path, "utf8")).trim();
    if (token.length >= 32) return token;
  } catch (cause) {
    throw new RowcallError("STORE_DENIED", `The server's token cannot be kept in ${path}: ${messageOf(cause)}`, {
      hint: "See that the data directory can be written, or choose another one with --data-dir.",
      cause,
    });
  }
  throw new RowcallError("STORE_DENIED", `The file ${path} holds no token of the server`, {
    hint: "Delete it: the next start makes a new one.",
  });
}
