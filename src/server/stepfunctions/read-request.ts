import { messageOf } from "../../core/errors.ts";
import { createHash } from "node:crypto";
import { ApiError, validationError } from "./api-error.ts";
import { z } from "zod";

/** What Step Functions says is wrong with a text that should be JSON; undefined for JSON. */
export function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (thrown) {
    const [, word] = /^\s*([A-Za-z_$][\w$]*)/.exec(text) ?? [];
    if (word !== undefined)
      return `Unrecognized token '${word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`;
    const [, key] = /^\s*\{\s*([^\s"}])/.exec(text) ?? [];
    if (key !== undefined)
      return `Unexpected character ('${key}' (code ${key.codePointAt(0)})): was expecting double-quote to start field name`;
    return messageOf(thrown);
  }
}

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

/** Members that many requests have. */
export const members: {
  readonly arn: z.ZodString;
  readonly name: z.ZodString;
  readonly maxResults: z.ZodOptional<z.ZodInt>;
  nextToken(longest: number): z.ZodOptional<z.ZodString>;
} = {
  arn: z.string().min(1).max(256),
  name: z.string().min(1).max(80),
  maxResults: z.int().min(0).max(1000).optional(),
  nextToken: (longest) => z.string().min(1).max(longest).optional(),
};

/**
 * Reads the body of a request; members that the schema does not know are left out, as Step Functions does.
 *
 * @throws ApiError ValidationException with every problem, SerializationException for a member of another type
 */
export function readRequest<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  const { issues } = result.error;
  const misfit = issues.find((issue) => issue.code === "invalid_type" && issue.input != null);
  if (misfit?.code === "invalid_type")
    throw new ApiError("SerializationException", `The member '${pathOf(misfit)}' must be of type ${misfit.expected}`);
  const found = issues.length === 1 ? "1 validation error detected" : `${issues.length} validation errors detected`;
  throw validationError(`${found}: ${issues.map(sentence).join("; ")}`);
}

function sentence(issue: z.core.$ZodIssue): string {
  const value = issue.input == null ? "null" : `'${text(issue.input)}'`;
  return `Value ${value} at '${pathOf(issue)}' failed to satisfy constraint: Member must ${constraint(issue)}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function constraint(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") {
    return issue.input == null ? "not be null" : `satisfy enum value set: [${issue.values.join(", ")}]`;
  }
  if (issue.code === "too_big" || issue.code === "too_small") {
    const [side, bound] = issue.code === "too_big" ? ["less", issue.maximum] : ["greater", issue.minimum];
    const what = issue.origin === "string" ? "length" : "value";
    return `have ${what} ${side} than or equal to ${String(bound)}`;
  }
  return issue.input == null ? "not be null" : issue.message;
}

function pathOf({ path }: z.core.$ZodIssue): string {
  return path.map(String).join(".");
}
