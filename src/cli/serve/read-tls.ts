import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, RowcallError } from "../../core/errors.ts";

/** Where certificate and key are. */
export interface TlsFiles {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Folder that their paths start from. */
  readonly workingDirectory: string;
}

/** PEM texts of a certificate and its key. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads certificate and key; undefined when neither is asked for.
 *
 * @throws RowcallError USAGE_INVALID when one is missing or cannot be read; what is in them is checked by `listen`
 */
export async function readTls({ tlsCert, tlsKey, workingDirectory }: TlsFiles): Promise<Tls | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new RowcallError("USAGE_INVALID", "A certificate goes with its key", {
      hint: "Give both --tls-cert and --tls-key.",
    });
  }
  try {
    const [cert, key] = await Promise.all(
      [tlsCert, tlsKey].map((path) => readFile(resolve(workingDirectory, path), "utf8")),
    );
    return { cert: cert ?? "", key: key ?? "" };
  } catch (cause) {
    throw new RowcallError("USAGE_INVALID", `The certificate or its key cannot be read: ${messageOf(cause)}`, {
      hint: "Check the paths of --tls-cert and --tls-key.",
      cause,
    });
  }
}
