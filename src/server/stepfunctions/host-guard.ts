import type { MiddlewareHandler } from "hono";
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

/** Whether a `Host` header, or a name to listen at, means this machine alone. */
export function isLoopbackHost(host: string): boolean {
  return /^(?:(?:localhost|[\w.-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?|::1)$/i.test(host);
}
