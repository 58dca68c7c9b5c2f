import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { messageOf, RowcallError } from "../../core/errors.ts";

/** Whether two secrets are the same, in a time that does not tell how much of them is alike; digests have one length. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}

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

/**
 * Reads a secret that was opened before, as it is now. It is read in place of being kept, since another process may replace it.
 *
 * @throws RowcallError STORE_DENIED when it has gone, or was replaced by something else: then nobody is let in
 */
function readSecret(dataDirectory: string, { name, what, isValid }: KeptSecret): string {
  let text = "";
  try {
    text = readFileSync(join(dataDirectory, name), "utf8").trim();
  } catch (cause) {
    throw lostError(name, what, cause);
  }
  if (isValid(text)) return text;
  throw lostError(name, what);
}

// Whoever is not let in reads this: it names no place of the machine.
function lostError(name: string, what: string, cause?: unknown): RowcallError {
  return new RowcallError("STORE_DENIED", `The ${what} cannot be read any more, so nobody is let in`, {
    hint: `Start the server again: it makes the file ${name} anew when there is none.`,
    cause,
  });
}

/**
 * Replaces a secret by a new one. Its file is whole, and its owner's alone, at every moment.
 *
 * @returns the one before, whatever it was
 * @throws RowcallError STORE_NOT_FOUND when there is none; STORE_DENIED when it is another user's, or cannot be replaced
 */
export async function replaceSecret(dataDirectory: string, secret: KeptSecret): Promise<string> {
  const { what } = secret;
  const path = join(dataDirectory, secret.name);
  const owner = await stat(path).catch(() => undefined);
  if (owner === undefined) {
    throw new RowcallError("STORE_NOT_FOUND", `There is no ${what} in ${dataDirectory}`, {
      hint: "Name the data directory of the server with --data-dir; a server makes it when it starts first.",
    });
  }
  const me = process.getuid?.();
  if (me !== undefined && owner.uid !== me) {
    // The server could not read a file of ours.
    throw new RowcallError("STORE_DENIED", `${path} belongs to another user (${owner.uid})`, {
      hint: `Do it as that user, for instance with \`sudo -u '#${owner.uid}'\`.`,
    });
  }
  const half = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    const before = (await readFile(path, "utf8")).trim();
    await writeFile(half, secret.make(), { flag: "wx", mode: 0o600, flush: true });
    await rename(half, path);
    return before;
  } catch (cause) {
    await rm(half, { force: true }).catch(() => undefined);
    throw new RowcallError("STORE_DENIED", `The ${what} in ${path} cannot be replaced: ${messageOf(cause)}`, {
      hint: "See that the data directory can be written.",
      cause,
    });
  }
}

/** What lets in every program, and begins sessions of browsers. */
export const serverToken: KeptSecret = {
  name: "server-token",
  what: "server's token",
  make: () => randomBytes(32).toString("base64url"),
  isValid: (text) => text.length >= 32,
};

/**
 * The server's token: made at the first start and kept in the data directory.
 *
 * @returns reads it as it is now, and throws RowcallError STORE_DENIED when it has gone
 * @throws RowcallError STORE_DENIED
 */
export async function openToken(dataDirectory: string): Promise<() => string> {
  await openSecret(dataDirectory, serverToken);
  return () => readSecret(dataDirectory, serverToken);
}
