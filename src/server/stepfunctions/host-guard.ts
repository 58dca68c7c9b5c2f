import type { MiddlewareHandler } from "hono";
import { isLoopbackHost } from "../security/loopback.ts";
import { ApiError } from "./api-error.ts";

/**
 * Lets through only requests that name this machine as their host: a web page whose name was made to lead here names itself.
 *
 * @see https://en.wikipedia.org/wiki/DNS_rebinding
 */
export const onlyLoopbackHosts: MiddlewareHandler = async (c, next) => {
  const host = c.req.header("host") ?? "";
  if (isLoopbackHost(host)) return next();
  throw new ApiError(
    "AccessDeniedException",
    `The host "${host}" is none of this machine's own names; use 127.0.0.1 or localhost`,
  );
};
