import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { RowcallError, messageOf, type ErrorCode } from "../core/errors.ts";

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

interface Explanation {
  readonly code: ErrorCode;
  /** Follows the file's name: `Cannot read out/a.csv: …`. */
  readonly what: string;
  readonly hint: string;
}

const aFolder: Explanation = { code: "STORE_DENIED", what: "it is a folder", hint: "Name a file in it." };

const explanations: Readonly<Record<string, Explanation>> = {
  ENOENT: { code: "STORE_NOT_FOUND", what: "there is no such file", hint: "Check the path." },
  ENOTDIR: { code: "STORE_NOT_FOUND", what: "a part of the path is a file, not a folder", hint: "Check the path." },
  EACCES: { code: "STORE_DENIED", what: "access is denied", hint: "Check the permissions of the file and its folder." },
  EPERM: {
    code: "STORE_DENIED",
    what: "the operation is not permitted",
    hint: "Check the permissions of the file and its folder.",
  },
  EROFS: {
    code: "STORE_DENIED",
    what: "the file system is read-only",
    hint: "Choose a folder that can be written to.",
  },
  EISDIR: aFolder,
  ENOSPC: { code: "STORE_FAILED", what: "the disk is full", hint: "Free some space, then resume the run." },
  EDQUOT: { code: "STORE_FAILED", what: "the disk quota is used up", hint: "Free some space, then resume the run." },
  EMFILE: {
    code: "STORE_FAILED",
    what: "too many files are open",
    hint: "Lower max_concurrency, or raise the limit with ulimit -n.",
  },
  ENAMETOOLONG: { code: "STORE_FAILED", what: "the name is too long", hint: "Choose a shorter path." },
};

/** The code of a system error, such as `ENOENT`; undefined for anything else. */
export function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}

/**
 * Runs a file operation and puts what goes wrong into words.
 *
 * @param verb - what is tried: `read`
 * @throws RowcallError STORE_NOT_FOUND, STORE_DENIED, STORE_FAILED
 */
export async function explained<T>(verb: string, uri: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (thrown) {
    throw explain(verb, uri, thrown);
  }
}

/** What using a folder as a file comes to. */
export function isFolderError(verb: string, uri: string): RowcallError {
  const { code, what, hint } = aFolder;
  return new RowcallError(code, `Cannot ${verb} ${uri}: ${what}`, { hint, details: { uri } });
}

/** A failed file operation as one of our errors; our own errors stay as they are. */
export function explain(verb: string, uri: string, thrown: unknown): RowcallError {
  if (thrown instanceof RowcallError) return thrown;
  const code = systemCode(thrown) ?? "";
  const known = explanations[code];
  return new RowcallError(known?.code ?? "STORE_FAILED", `Cannot ${verb} ${uri}: ${known?.what ?? messageOf(thrown)}`, {
    hint: known?.hint ?? "Check the path and the disk.",
    cause: thrown,
    details: { uri, ...(code === "" ? {} : { systemCode: code }) },
  });
}
