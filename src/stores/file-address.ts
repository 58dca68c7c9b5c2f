import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { RowcallError, messageOf } from "../core/errors.ts";

/** A file as it was addressed. */
export interface FileAddress {
  /** Absolute. */
  readonly path: string;
  /** Whether the URI ends in a slash, or is empty: it can only be a folder. */
  readonly isFolder: boolean;
  /** Canonical: reads back as the same file. */
  readonly uri: string;
}

/**
 * Reads a plain path or a `file:` URI.
 *
 * A plain path is taken literally, `%` included, and stays the plain path it is; a `file:` URI is percent-decoded and
 * becomes canonical. `file:rows.csv` is relative, as a plain path is.
 *
 * @throws RowcallError USAGE_INVALID for a `file:` URI that is no path on this machine
 */
export function parseFileAddress(uri: string, baseDirectory: string): FileAddress {
  if (!isFileUri(uri)) {
    const isFolder = uri === "" || uri.endsWith("/") || (process.platform === "win32" && uri.endsWith("\\"));
    return { path: resolve(baseDirectory, uri), isFolder, uri };
  }
  try {
    const url = /^file:\//i.test(uri)
      ? new URL(uri)
      : new URL(uri.slice("file:".length), `${pathToFileURL(baseDirectory).href}/`);
    const path = fileURLToPath(url);
    return { path, isFolder: url.pathname.endsWith("/"), uri: pathToFileURL(path).href };
  } catch (cause) {
    throw new RowcallError("USAGE_INVALID", `${uri} is not a file on this machine: ${messageOf(cause)}`, {
      hint: "Write a path, or a URI of the form file:///path/to/rows.csv.",
      cause,
    });
  }
}

/** Whether a URI is a `file:` URI rather than a plain path. */
export function isFileUri(uri: string): boolean {
  return /^file:/i.test(uri);
}
