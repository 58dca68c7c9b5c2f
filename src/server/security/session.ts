import { createHmac, hash } from "node:crypto";
import type { Clock } from "../../core/services.ts";
import { isSameSecret } from "./secret.ts";

/** Tells who knows the token from who does not. */
export interface Sessions {
  /** Name of the cookie: servers over different data directories share a host, and must not share a cookie. */
  readonly cookie: string;
  readonly longestMs: number;
  isToken(text: string): boolean;
  /** The value of a new session's cookie; the token cannot be told from it. */
  create(): string;
  isSession(value: string): boolean;
}

const day = 24 * 3600 * 1000;

/** Sessions of one token; they need no memory, and end with the token. */
export function createSessions(token: string, clock: Clock): Sessions {
  const longestMs = 30 * day;
  const signature = (begun: string): string =>
    createHmac("sha256", token).update(`session ${begun}`).digest("base64url");
  return {
    cookie: `rowcall_${hash("sha256", token).slice(0, 8)}`,
    longestMs,
    isToken: (text) => isSameSecret(text, token),
    create: () => {
      const begun = String(clock());
      return `${begun}.${signature(begun)}`;
    },
    isSession: (value) => {
      const [begun = "", signed = ""] = value.split(".");
      const age = clock() - Number(begun);
      return /^\d+$/.test(begun) && age >= 0 && age < longestMs && isSameSecret(signed, signature(begun));
    },
  };
}
