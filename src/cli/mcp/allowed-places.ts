import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { RowcallError } from "../../core/errors.ts";
import { schemeOf } from "../../core/uri.ts";

/** The places that an assistant may have read and written. */
export interface AllowedPlaces {
  /** Whether a path or URI may be used. */
  allows(uri: string): Promise<boolean>;
  /**
   * Lets a path or URI through.
   *
   * @param what - what it is, for the message: `input`
   * @throws RowcallError STORE_DENIED when it lies elsewhere; USAGE_INVALID for standard output
   */
  require(uri: string, what: string): Promise<void>;
}

/** Which places are allowed. */
export interface PlaceRules {
  /** Paths, or URIs such as `s3://bucket/tables/`. */
  readonly allowed: readonly string[];
  /** Places that are not allowed, wherever they lie. */
  readonly never: readonly string[];
  /** Where relative paths start. */
  readonly baseDirectory: string;
  /** Option that allows more. */
  readonly option: string;
}

/**
 * Allows folders, and prefixes of other stores, with everything below them but what is hidden: keys and passwords stand in files
 * whose names, or whose folders' names, begin with a dot. A link counts as what it leads to.
 */
export function allowPlaces({ allowed, never, baseDirectory, option }: PlaceRules): AllowedPlaces {
  /** What of a place lies below another one; undefined when it lies elsewhere. */
  const below = async (uri: string, place: string): Promise<string | undefined> => {
    if (schemeOf(place) !== schemeOf(uri)) return undefined;
    return schemeOf(uri) === "file"
      ? remainder(await realPath(pathOf(uri, baseDirectory)), await realPath(pathOf(place, baseDirectory)), sep)
      : remainder(normal(uri), normal(place), "/");
  };
  const allows = async (uri: string): Promise<boolean> => {
    for (const place of never) if ((await below(uri, place)) !== undefined) return false;
    for (const place of allowed) {
      const rest = await below(uri, place);
      if (rest !== undefined && !(schemeOf(uri) === "file" ? isHidden(rest) : mayClimb(uri))) return true;
    }
    return false;
  };
  return {
    allows,
    require: async (uri, what) => {
      if (uri === "-") {
        throw new RowcallError("USAGE_INVALID", `The ${what} cannot be standard output here`, {
          hint: "Name a file, or a folder that ends in /.",
        });
      }
      if (await allows(uri)) return;
      throw new RowcallError("STORE_DENIED", `The ${what} ${uri} lies outside of what this server may use`, {
        hint: `${allowed.length === 0 ? "No place is allowed" : `Use a place below ${allowed.join(" or ")}`}; only the user can allow more, by starting the server with ${option}.`,
      });
    },
  };
}

function remainder(place: string, root: string, separator: string): string | undefined {
  if (place === root) return "";
  const start = root.endsWith(separator) ? root : root + separator;
  return place.startsWith(start) ? place.slice(start.length) : undefined;
}

function isHidden(path: string): boolean {
  return /(^|[/\\])\./.test(path);
}

// Servers may take an encoded slash for one, and then `..` leads out.
function mayClimb(uri: string): boolean {
  return /^https?:/i.test(uri) && /%2f|%5c/i.test(uri.replace(/[?#].*$/s, ""));
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
