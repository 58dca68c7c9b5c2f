import type { Context } from "hono";
import type { z } from "zod";
import type { ErrorCode } from "../../core/errors.ts";
import type { ServerEnv } from "../server-setup.ts";

/** What an operation answers with, when it is no JSON. */
export interface MediaAnswer {
  /** Media types it may have. */
  readonly media: readonly string[];
  /** Whether a part of it can be asked for with `Range`. */
  readonly isRanged?: true;
  readonly description: string;
}

/** One operation of the API, as its document has it; paths are written as OpenAPI does. */
export interface OperationFace {
  /** `startRun`. */
  readonly id: string;
  readonly method: "get" | "post" | "patch" | "put" | "delete";
  /** Below `/api/v1`: `/runs/{id}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  /** Whether it only looks, although it is no GET. @default false */
  readonly readsOnly?: true;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Schema of a JSON body, or what another body is. */
  readonly body?: z.ZodType | MediaAnswer;
  readonly answer: z.ZodType | MediaAnswer;
  /** @default 200 */
  readonly status?: 200 | 201;
  /** Codes of its own, besides those of every operation. */
  readonly errors?: readonly ErrorCode[];
}

/** A request to an operation, read with its schemas. */
export interface OperationRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  /** Undefined when the body is no JSON. */
  readonly body: Body;
  readonly context: Context<ServerEnv>;
}

/** One operation with what it does. */
export interface Operation extends OperationFace {
  /** @returns what is sent as JSON, or the whole answer */
  handle(request: OperationRequest<never, never, never>): Promise<object>;
}

type OutputOf<T> = T extends z.ZodType ? z.output<T> : undefined;

/** Ties a handler to the schemas of its operation. */
export function defineOperation<
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | MediaAnswer | undefined = undefined,
>(
  face: Omit<OperationFace, "params" | "query" | "body"> & {
    readonly params?: Params;
    readonly query?: Query;
    readonly body?: Body;
  },
  handle: (request: OperationRequest<OutputOf<Params>, OutputOf<Query>, OutputOf<Body>>) => Promise<object>,
): Operation {
  return { ...(face as OperationFace), handle };
}

/** Whether a body or an answer is something else than JSON. */
export function isMedia(part: z.ZodType | MediaAnswer): part is MediaAnswer {
  return "media" in part;
}
