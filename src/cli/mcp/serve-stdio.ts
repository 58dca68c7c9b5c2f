import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

/**
 * Serves the one client at the other end of two streams.
 *
 * @param closing - aborted to part from the client
 * @returns settles when the client has gone, or was parted from
 */
export async function serveStdio(
  mcp: McpServer,
  input: Readable,
  output: Writable,
  closing: AbortSignal,
): Promise<void> {
  const parted = new AbortController();
  const signal = AbortSignal.any([parted.signal, closing]);
  const gone = Promise.race([
    once(input, "end", { signal }),
    once(input, "close", { signal }),
    once(output, "error", { signal }),
  ]);
  await mcp.connect(new StdioServerTransport(input, output));
  // Aborting and an error of the input end the wait as the end does: the client is not there.
  await gone.catch(() => {});
  parted.abort();
  // What is answered from here on would be written to nobody.
  await mcp.close();
}
