import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../../core/services.ts";
import { openSecret, readSecret, replaceSecret, type KeptSecret } from "./secret-file.ts";
import { createSessions } from "./session.ts";

const token: KeptSecret = {
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
  await openSecret(dataDirectory, token);
  return () => readSecret(dataDirectory, token);
}

/** What replacing the token did. */
export interface RotatedToken {
  /** File of the new token. */
  readonly file: string;
  readonly sessionsEnded: number;
}

/**
 * Replaces the server's token by a new one. Servers over the data directory let in nobody with the old one from then on; its sessions
 * have ended.
 *
 * @throws RowcallError STORE_NOT_FOUND when there is none; STORE_DENIED
 */
export async function rotateToken(dataDirectory: string, clock: Clock): Promise<RotatedToken> {
  const before = await replaceSecret(dataDirectory, token);
  const sessionsEnded = await createSessions(() => before, dataDirectory, clock).endOthers();
  return { file: join(dataDirectory, token.name), sessionsEnded };
}
