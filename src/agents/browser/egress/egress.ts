import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { explainNetwork } from "../../../core/network-errors.ts";
import { authorityOf, hostBlocked, targetOf, type AllowedHosts, type Target } from "../../allowed-hosts.ts";
import { isOwnClient, createRelay, maxHeaderSize } from "./relay.ts";
import { routeByEnvironment, type RouteTo } from "./upstream.ts";

/** Decides which addresses can be opened, and knows why one could not. */
export interface WayOut {
  /** @throws RowcallError HOST_BLOCKED */
  admit(url: string): void;
  /** Returns why the host of an address could not be reached, in words; undefined when it was. */
  whyUnreachable(url: string): string | undefined;
}

/** The only way out of a browser: a proxy on this machine that connects to allowed hosts alone. */
export interface Egress extends WayOut {
  /** Address of the proxy, for the browser's command line. */
  readonly proxyUrl: string;
  /** Cuts all connections; safe to call twice. */
  close(): Promise<void>;
}

/** Hosts whose last failure is remembered. */
const maxFailures = 1000;

/**
 * Opens the way out for a browser. Names are resolved here, and only those of allowed hosts. Where the environment names a proxy,
 * connections go through it, with the credentials of its URL.
 */
export async function openEgress(allowed: AllowedHosts, routeTo: RouteTo = routeByEnvironment): Promise<Egress> {
  const failures = new Map<string, string>();
  const relay = createRelay({
    routeTo,
    onDialed(target, thrown) {
      const authority = authorityOf(target);
      failures.delete(authority);
      if (thrown !== undefined) failures.set(authority, explainNetwork(thrown).what);
      if (failures.size > maxFailures) failures.delete(failures.keys().next().value ?? "");
    },
  });

  // The browser is the only client and ends before this does: nothing is cut because it took long.
  const server = createServer({ maxHeaderSize, requestTimeout: 0, keepAliveTimeout: 0 });
  const sockets = new Map<Duplex, Promise<boolean>>();
  server.on("connection", (socket) => {
    sockets.set(socket, isOwnClient(socket));
    socket.once("close", () => sockets.delete(socket));
  });
  /** Other users of this machine are not let in: the way to the upstream proxy, and its password, are this user's. */
  const letIn = async (client: Duplex, serve: () => unknown): Promise<void> => {
    if ((await sockets.get(client)) === true) serve();
    else client.destroy();
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const target = requestTarget(request.url);
    if (target === undefined) response.writeHead(400, { Connection: "close" }).end();
    // Cut: a page must not take an answer of ours for that of the host.
    else if (!allowed.reaches(target)) request.socket.destroy();
    else relay.request(request, response, target);
  };
  const onConnect = (request: IncomingMessage, client: Duplex, head: Buffer): void => {
    const target = tunnelTarget(request.url);
    if (target !== undefined && allowed.reaches(target)) void relay.tunnel(client, head, target);
    else client.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  };
  server.on("request", (request, response) => void letIn(request.socket, () => onRequest(request, response)));
  server.on("connect", (request, client, head) => {
    client.on("error", () => undefined);
    void letIn(client, () => onConnect(request, client, head));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // Who forgets to close it must not wait for it for ever.
  server.unref();

  return {
    proxyUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    admit(url) {
      if (!allowed.allows(url)) throw hostBlocked(url, allowed);
    },
    whyUnreachable(url) {
      const parsed = URL.parse(url);
      return parsed === null ? undefined : failures.get(authorityOf(targetOf(parsed)));
    },
    async close() {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      for (const socket of sockets.keys()) socket.destroy();
      await closed;
    },
  };
}

/** Returns the target of a request in absolute form, with the host as addresses write it: `0x7f.1` is `127.0.0.1`. */
function requestTarget(url = ""): Target | undefined {
  const parsed = /^http:\/\//i.test(url) ? URL.parse(url) : null;
  return parsed === null ? undefined : targetOf(parsed);
}

function tunnelTarget(authority = ""): Target | undefined {
  const parsed = /^[^/?#@\\]+:\d+$/.test(authority) ? URL.parse(`http://${authority}/`) : null;
  return parsed === null ? undefined : targetOf(parsed);
}
