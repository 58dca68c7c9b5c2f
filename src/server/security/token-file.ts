import { randomBytes } from "node:crypto";
import { openSecret } from "./secret-file.ts";

/**
 * The server's token: made at the first start and kept in the data directory.
 *
 * @throws RowcallError STORE_DENIED
 */
export function openToken(dataDirectory: string): Promise<string> {
  return openSecret(dataDirectory, {
    name: "server-token",
    what: "server's token",
    make: () => randomBytes(32).toString("base64url"),
    isValid: (text) => text.length >= 32,
  });
}
