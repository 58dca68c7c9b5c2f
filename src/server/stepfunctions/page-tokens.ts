import { createHash } from "node:crypto";
import { ApiError } from "./api-error.ts";

/** The page size when a request names none. */
const usualPage = 100;

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken?: string;
}

/** Which page a request asks for. */
export interface PageRequest {
  readonly maxResults?: number | undefined;
  readonly nextToken?: string | undefined;
}

/**
 * Takes a page of a list.
 *
 * @param scope - operation and everything else that was asked; a token belongs to one of them
 * @param read - at most so many items, beginning after the one with the cursor
 * @param cursorOf - what finds the place after an item again
 * @throws ApiError InvalidToken
 */
export async function takePage<T>(
  request: PageRequest,
  scope: readonly unknown[],
  read: (many: number, cursor: string | undefined) => readonly T[] | Promise<readonly T[]>,
  cursorOf: (item: T) => string,
): Promise<Page<T>> {
  const many = request.maxResults === undefined || request.maxResults === 0 ? usualPage : request.maxResults;
  const mark = createHash("sha256").update(JSON.stringify(scope)).digest("base64url").slice(0, 12);
  const found = await read(many + 1, request.nextToken === undefined ? undefined : readToken(request.nextToken, mark));
  const items = found.slice(0, many);
  const last = items.at(-1);
  if (found.length <= many || last === undefined) return { items };
  const cursor = cursorOf(last);
  return { items, nextToken: Buffer.from(`${mark}${cursor}`).toString("base64url") };
}

/** A page of a list that is at hand as a whole. */
export async function takeSlice<T>(
  request: PageRequest,
  scope: readonly unknown[],
  all: readonly T[],
): Promise<Page<T>> {
  const placed = all.map((item, index) => ({ item, next: index + 1 }));
  const page = await takePage(
    request,
    scope,
    (many, cursor = "0") => placed.slice(Number(cursor), Number(cursor) + many),
    ({ next }) => String(next),
  );
  return { ...page, items: page.items.map(({ item }) => item) };
}

function readToken(token: string, mark: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (text.startsWith(mark) && text.length > mark.length) return text.slice(mark.length);
  throw new ApiError("InvalidToken", "Invalid Token: 'Invalid token'");
}
