import type { Context, Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { shortValues } from "../../app/audit.ts";
import { RowcallError } from "../../core/errors.ts";
import { readDocument } from "../../core/read-document.ts";
import { parseWith } from "../../core/schema.ts";
import type { AuditedRequest, ServerEnv } from "../server-setup.ts";
import { isMedia, routeOf, type Operation } from "./operation.ts";

/** Where the API begins. */
export const apiRoot = "/api/v1";

const longestBody = 2 * 1024 * 1024;

/** Refuses bodies that are longer than JSON needs to be; uploads have a limit of their own. */
export function limitBodies(): MiddlewareHandler {
  const limit = bodyLimit({
    maxSize: longestBody,
    onError: () => {
      throw new RowcallError("REQUEST_TOO_LARGE", `A request may have ${longestBody} bytes of JSON`, {
        hint: "Upload tables apart from the batch.",
      });
    },
  });
  return (c, next) => (c.req.path === `${apiRoot}/uploads` ? next() : limit(c, next));
}

/** Adds operations to an app, each at its path below {@link apiRoot}. */
export function mountOperations(app: Hono<ServerEnv>, operations: readonly Operation[]): void {
  for (const operation of operations) {
    const { method, path } = routeOf(operation);
    app.on(method, `${apiRoot}${path.replace(/\{(\w+)\}/g, ":$1")}`, async (c) => answer(c, operation));
  }
}

async function answer(c: Context<ServerEnv>, operation: Operation): Promise<Response> {
  const { params, query, body, status = 200 } = operation;
  const request = {
    params: params && parseWith(params, c.req.param(), "USAGE_INVALID", "path"),
    query: query && parseWith(query, readQuery(c), "USAGE_INVALID", "query"),
    body: body === undefined || isMedia(body) ? undefined : parseWith(body, await readJson(c), "USAGE_INVALID", "body"),
    context: c,
  };
  const isReading = operation.readsOnly === true || operation.route.startsWith("GET ");
  const audited = isReading ? "reads" : auditedOf(operation, request.params, request.body);
  c.set("audited", audited);
  const result = await operation.handle(request as Parameters<Operation["handle"]>[0]);
  if (result instanceof Response) return result;
  // A handler may have said it better.
  if (!isReading && c.get("audited") === audited)
    c.set("audited", auditedOf(operation, request.params ?? result, request.body));
  c.header("Cache-Control", "no-store");
  return c.json(result, status);
}

function auditedOf({ id: action }: Operation, about: unknown, body: unknown): AuditedRequest {
  const detail = shortValues(body);
  const {
    id,
    name,
    version,
    inputUri,
    agent_name: agent = name,
    template_id: template = agent,
  } = {
    ...detail,
    ...shortValues(about),
    // Details of a run have it as `run`.
    ...shortValues((about as { readonly run?: unknown } | undefined)?.run),
  };
  const target = id ?? inputUri ?? (version === undefined ? template : `${String(template)}@${String(version)}`);
  return {
    action,
    target: target === undefined ? undefined : String(target),
    detail: Object.keys(detail).length === 0 ? undefined : detail,
  };
}

// A parameter that comes twice is a list, which no schema takes by mistake for one value.
function readQuery(c: Context): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(c.req.queries()).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? "") : values]),
  );
}

async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text();
  return text === "" ? {} : readDocument(text, "", "USAGE_INVALID", "body");
}
