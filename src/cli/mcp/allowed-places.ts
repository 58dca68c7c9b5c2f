import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { RowcallError } from "../../core/errors.ts";
import { schemeOf } from "../../core/uri.ts";

/** The places that an assistant may have read and written. */
export interface AllowedPlaces {
  /**
   * Lets a path or URI through.
   *
   * @param what - what it is, for the message: `input`
   * @throws RowcallError STORE_DENIED when it lies elsewhere; USAGE_INVALID for standard output
   */
  require(uri: string, what: string): Promise<void>;
}

/**
 * Allows folders, and prefixes of other stores, with everything below them. A link counts as what it leads to.
 *
 * @param allowed - paths, or URIs such as `s3://bucket/tables/`
 * @param baseDirectory - where relative paths start
 */
export function allowPlaces(allowed: readonly string[], baseDirectory: string): AllowedPlaces {
  const isAllowed = async (uri: string): Promise<boolean> => {
    for (const place of allowed) {
      if (schemeOf(place) !== schemeOf(uri)) continue;
      const isBelow =
        schemeOf(uri) === "file"
          ? isWithin(await realPath(pathOf(uri, baseDirectory)), await realPath(pathOf(place, baseDirectory)), sep)
          : isWithin(normal(uri), normal(place), "/");
      if (isBelow) return true;
    }
    return false;
  };
  return {
    require: async (uri, what) => {
      if (uri === "-") {
        throw new RowcallError("USAGE_INVALID", `The ${what} cannot be standard output here`, {
          hint: "Name a file, or a folder that ends in /.",
        });
      }
      if (await isAllowed(uri)) return;
      throw new RowcallError("STORE_DENIED", `The ${what} ${uri} lies outside of what this server may use`, {
        hint: `Use a place below ${allowed.join(" or ")}; only the user can allow more, by starting the server with --allow.`,
      });
    },
  };
}

function isWithin(place: string, root: string, separator: string): boolean {
  return place === root || place.startsWith(root.endsWith(separator) ? root : root + separator);
}

function pathOf(uri: string, baseDirectory: string): string {
  return uri.toLowerCase().startsWith("file:") ? fileURLToPath(uri) : resolve(baseDirectory, uri);
}

/** A path without links, as far as it is there. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realPath(parent), basename(path));
  }
}

// A URL is taken as it would be fetched, so that `..` leads nowhere.
function normal(uri: string): string {
  return /^https?:/i.test(uri) ? new URL(uri).href : uri;
}
