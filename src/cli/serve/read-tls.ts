import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, RowcallError } from "../../core/errors.ts";

/** Where certificate and key are. */
export interface TlsFiles {
  /** Paths; absent: no TLS. */
  readonly tls?: Tls;
  /** Folder that their paths start from. */
  readonly workingDirectory: string;
}

/** A certificate and its key: PEM texts, or where they are. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads certificate and key; undefined when they are not asked for.
 *
 * @throws RowcallError USAGE_INVALID when one cannot be read; what is in them is checked by `listen`
 */
export async function readTls({ tls, workingDirectory }: TlsFiles): Promise<Tls | undefined> {
  if (tls === undefined) return undefined;
  const read = (path: string): Promise<string> => readFile(resolve(workingDirectory, path), "utf8");
  try {
    const [cert, key] = await Promise.all([read(tls.cert), read(tls.key)]);
    return { cert, key };
  } catch (cause) {
    throw new RowcallError("USAGE_INVALID", `The certificate or its key cannot be read: ${messageOf(cause)}`, {
      hint: "Check the paths of --tls-cert and --tls-key.",
      cause,
    });
  }
}
