import { randomBytes } from "node:crypto";
import { openSecret } from "../security/secret-file.ts";
import type { EndpointKeys } from "./signature.ts";

/**
 * The endpoint's keys: made at the first start and kept in the data directory.
 *
 * @throws RowcallError STORE_DENIED
 */
export async function openEndpointKeys(dataDirectory: string): Promise<EndpointKeys> {
  const text = await openSecret(dataDirectory, {
    name: "endpoint-keys",
    what: "endpoint's keys",
    make: () => Object.values(makeEndpointKeys()).join("\n"),
    isValid: (kept) => /^\w{16,}\n[\w-]{32,}$/.test(kept),
  });
  const [accessKeyId = "", secretAccessKey = ""] = text.split("\n");
  return { accessKeyId, secretAccessKey };
}

/** New keys; nobody can guess them. */
export function makeEndpointKeys(): EndpointKeys {
  return {
    accessKeyId: `RCAK${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(32).toString("base64url"),
  };
}
