import type { Context } from "hono";
import type { z } from "zod";
import type { ErrorCode } from "../../core/errors.ts";
import type { ServerEnv } from "../server-setup.ts";

/** A body or an answer that is not JSON. */
export interface Media {
  /** Media types it may have. */
  readonly media: readonly string[];
  /** Whether a part of it can be asked for with `Range`. */
  readonly isRanged?: true;
  readonly description: string;
}

/** What the API's document says of one operation. */
export interface OperationDescription {
  /** `startRun`. */
  readonly id: string;
  /** Method, and path below `/api/v1` as OpenAPI writes it: `GET /runs/{id}`. */
  readonly route: `${"GET" | "POST" | "PATCH" | "PUT" | "DELETE"} /${string}`;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Schema of a JSON body, or what another body is. */
  readonly body?: z.ZodType | Media;
  readonly answer: z.ZodType | Media;
  /** @default 200 */
  readonly status?: 200 | 201;
  /** Codes of its own, besides those of every operation. */
  readonly errors?: readonly ErrorCode[];
}

/** A request to an operation, read with its schemas. */
export interface OperationRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  /** Undefined when the body is not JSON. */
  readonly body: Body;
  readonly context: Context<ServerEnv>;
}

/** One operation of the API. */
export interface Operation extends OperationDescription {
  /** Whether it changes nothing, although it is no GET. @default false */
  readonly readsOnly?: true;
  /** @returns what is sent as JSON, or the whole answer */
  handle(request: OperationRequest<never, never, never>): Promise<object>;
}

type OutputOf<T> = T extends z.ZodType ? z.output<T> : undefined;

/** Defines an operation; its handler gets what its schemas have read. */
export function operation<
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | Media | undefined = undefined,
>(
  definition: Omit<Operation, "params" | "query" | "body" | "handle"> & {
    readonly params?: Params;
    readonly query?: Query;
    readonly body?: Body;
    handle(request: OperationRequest<OutputOf<Params>, OutputOf<Query>, OutputOf<Body>>): Promise<object>;
  },
): Operation {
  return definition;
}

/** Whether a body or an answer is something else than JSON. */
export function isMedia(part: z.ZodType | Media): part is Media {
  return "media" in part;
}

/** The method of an operation, and its path below `/api/v1`. */
export function routeOf({ route }: OperationDescription): { readonly method: string; readonly path: string } {
  const [method = "", path = ""] = route.split(" ");
  return { method, path };
}
