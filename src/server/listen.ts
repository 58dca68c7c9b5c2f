import type { Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { messageOf, RowcallError } from "../core/errors.ts";

/** Where a server listens. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM texts; the server speaks https with them. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A server that listens. */
export interface Listening {
  /** `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly server: Server;
}

/** @throws RowcallError ENDPOINT_BUSY when the port is taken; USAGE_INVALID when it, the host or the certificate cannot be used */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port, tls }: ListenOptions,
): Promise<Listening> {
  const server = createServer(fetch, tls);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === "EADDRINUSE";
      const what = taken ? "is taken" : `cannot be used: ${messageOf(cause)}`;
      reject(
        new RowcallError(taken ? "ENDPOINT_BUSY" : "USAGE_INVALID", `Port ${port} of ${host} ${what}`, {
          hint: taken
            ? "Choose another --port; --port 0 takes a free one."
            : "Use an address that is this machine's, and a port above 1023; --port 0 takes a free one.",
          cause,
        }),
      );
    });
    server.listen(port, host, () => resolve());
  });
  const scheme = tls === undefined ? "http" : "https";
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `${scheme}://${name}:${(server.address() as AddressInfo).port}`, server };
}

function createServer(fetch: (request: Request) => Response | Promise<Response>, tls: ListenOptions["tls"]): Server {
  try {
    return createAdaptorServer(
      tls === undefined ? { fetch } : { fetch, createServer: createTlsServer, serverOptions: tls },
    ) as Server;
  } catch (cause) {
    throw new RowcallError("USAGE_INVALID", `The certificate or its key cannot be used: ${messageOf(cause)}`, {
      hint: "Both must be PEM files, and belong together.",
      cause,
    });
  }
}
