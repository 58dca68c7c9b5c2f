import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RowcallError } from "../../core/errors.ts";

/** A secret that is made at the first start and kept in the data directory. */
export interface KeptSecret {
  /** Name of its file. */
  readonly name: string;
  /** What it is, for messages: `server's token`. */
  readonly what: string;
  make(): string;
  /** Whether a text can be one. */
  isValid(text: string): boolean;
}

/**
 * Reads a secret, and makes it when there is none; only its owner can read the file.
 *
 * @param dataDirectory - is there
 * @throws RowcallError STORE_DENIED when the file can be neither read nor made, or holds something else
 */
export async function openSecret(dataDirectory: string, secret: KeptSecret): Promise<string> {
  const { what } = secret;
  const path = join(dataDirectory, secret.name);
  let text: string;
  try {
    await writeFile(path, secret.make(), { flag: "wx", mode: 0o600 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
    await chmod(path, 0o600);
    text = (await readFile(path, "utf8")).trim();
  } catch (cause) {
    throw new RowcallError("STORE_DENIED", `The ${what} cannot be kept in ${path}: ${messageOf(cause)}`, {
      hint: "See that the data directory can be written, or choose another one with --data-dir.",
      cause,
    });
  }
  if (secret.isValid(text)) return text;
  throw new RowcallError("STORE_DENIED", `The file ${path} does not hold the ${what}`, {
    hint: "Delete it: the next start makes a new one.",
  });
}
