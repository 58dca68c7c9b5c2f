import type { Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { BlockList, isIP, type AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { messageOf, RowcallError } from "../core/errors.ts";
import { plainAddress } from "../core/tcp-table.ts";

/** Where a server listens. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM texts; the server speaks https with them. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Addresses, or networks such as `10.0.0.0/8`, that may connect. @default all */
  readonly from?: readonly string[];
}

/** A server that listens. */
export interface Listening {
  /** `http://127.0.0.1:40123`. */
  readonly url: string;
  /**
   * Takes no new connection from here on, and cuts those that are still open.
   *
   * @param finish - what is waited for in between
   */
  close(finish?: () => Promise<unknown>): Promise<void>;
}

/** @throws RowcallError ENDPOINT_BUSY when the port is taken; USAGE_INVALID when it, the host, the certificate or an address cannot be used */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port, tls, from }: ListenOptions,
): Promise<Listening> {
  const isKnown = from === undefined ? () => true : knownAddresses(from);
  const server = createServer(fetch, tls);
  server.on("connection", (socket) => {
    if (!isKnown(socket.remoteAddress ?? "")) socket.destroy();
  });
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
  return {
    url: `${scheme}://${name}:${(server.address() as AddressInfo).port}`,
    close: async (finish) => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      await finish?.();
      server.closeAllConnections();
      await closed;
    },
  };
}

function knownAddresses(from: readonly string[]): (address: string) => boolean {
  const known = new BlockList();
  for (const text of from) {
    const [address = "", bits] = text.split("/");
    try {
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (bits === undefined) known.addAddress(address, family);
      else known.addSubnet(address, Number(bits), family);
    } catch (cause) {
      throw new RowcallError("USAGE_INVALID", `"${text}" is not an IP address or network`, {
        hint: "Write an address such as 10.0.0.7, or a network such as 10.0.0.0/24.",
        cause,
      });
    }
  }
  return (address) => {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && known.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
  };
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
