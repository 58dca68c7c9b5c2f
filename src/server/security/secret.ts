import { hash, timingSafeEqual } from "node:crypto";

/** Whether two secrets are the same, in a time that does not tell how much of them is alike; digests have one length. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}

/** The token of an `Authorization: Bearer …` header; undefined when it has none. */
export function readBearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
}
