import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { Hono } from "hono";
import { listen } from "../../server/listen.ts";
import { isLoopbackHost, readBearer } from "../../server/security/access.ts";
import { isSameSecret } from "../../server/security/secrets.ts";

/** How the server is reached. */
export interface HttpOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Every request must carry it. */
  readonly token: string;
  /** Makes the server of one request. */
  createServer(): McpServer;
}

/** A server that answers requests on this machine. */
export interface RunningHttp {
  /** `http://127.0.0.1:40123/mcp`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves any number of clients over Streamable HTTP, without sessions: what they share are the runs.
 *
 * @see https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
 * @throws RowcallError ENDPOINT_BUSY when the port is taken; USAGE_INVALID when it cannot be used
 */
export async function startHttp(options: HttpOptions): Promise<RunningHttp> {
  const { url, close } = await listen(createApp(options).fetch, { host: "127.0.0.1", port: options.port });
  return { url: `${url}/mcp`, close };
}

/** The server's routes and what guards them. */
function createApp({ token, createServer }: Omit<HttpOptions, "port">): Hono {
  const app = new Hono();
  const refuse = (status: 401 | 403 | 405, message: string, hint: string): Response =>
    Response.json({ error: { message, hint } }, { status });
  app.use(async (c, next) => {
    const asked = c.req.header("host") ?? "";
    if (!isLoopbackHost(asked)) return refuse(403, "The host is none of this machine's own names", "Use 127.0.0.1.");
    const origin = c.req.header("origin");
    if (origin !== undefined && !isLoopbackHost(URL.parse(origin)?.host ?? ""))
      return refuse(403, "Pages of other hosts may not call this server", "Connect from a program on this machine.");
    if (!isSameSecret(readBearer(c.req.header("authorization")) ?? "", token)) {
      const hint = "Send the one that the server printed when it started.";
      const refused = refuse(401, "The token is missing or wrong", hint);
      refused.headers.set("WWW-Authenticate", "Bearer");
      return refused;
    }
    return next();
  });
  app.post("/mcp", async (c) => {
    const mcp = createServer();
    const transport = new WebStandardStreamableHTTPServerTransport();
    await mcp.connect(transport);
    // A client that hangs up gives its call up.
    c.req.raw.signal.addEventListener("abort", () => void mcp.close());
    return transport.handleRequest(c.req.raw);
  });
  // There are no sessions to listen to or to end.
  app.all("/mcp", () => refuse(405, "Only POST is answered here", "Send each message as a POST."));
  return app;
}
