import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { getProxyForUrl } from "proxy-from-env";
import { authorityOf, type Target } from "../../allowed-hosts.ts";

/** The way to a target. */
export interface Route {
  /** The proxy that it goes through; absent: straight there. Credentials stand in the URL. */
  readonly proxy?: URL;
}

/** Chooses the way to a target. `https` stands for everything that is tunneled. */
export type RouteTo = (scheme: "http" | "https", target: Target) => Route;

/**
 * The way that the environment names: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case. This machine itself is never
 * reached through a proxy, as browsers have it.
 */
export const routeByEnvironment: RouteTo = (scheme, target) => {
  if (isThisMachine(target.hostname)) return {};
  const address = getProxyForUrl(`${scheme}://${authorityOf(target)}/`);
  if (address === "") return {};
  const proxy = URL.parse(address);
  if (proxy === null) throw new Error("the proxy that the environment names is not an address");
  return { proxy };
};

/** Returns whether a proxy takes requests for http addresses as they are, so that no tunnel is needed. */
export function forwards(route: Route): route is Required<Route> {
  return route.proxy !== undefined && /^https?:$/.test(route.proxy.protocol);
}

/** The `Proxy-Authorization` of a proxy, when there are credentials in its URL. */
export function proxyCredentials({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "" && password === "") return {};
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "Proxy-Authorization": `Basic ${Buffer.from(plain).toString("base64")}` };
}

/**
 * Opens a connection to a target, through a tunnel where the way leads through a proxy.
 *
 * @throws Error with the system's code, or saying what the proxy answered
 */
export function dial(target: Target, { proxy }: Route, signal: AbortSignal): Promise<Socket> {
  if (proxy === undefined) return connected(connect({ host: hostOf(target), port: target.port }), "connect", signal);
  return /^https?:$/.test(proxy.protocol)
    ? dialThroughHttp(target, proxy, signal)
    : dialThroughSocks(target, proxy, signal);
}

/** Opens a connection to a proxy itself. */
export function dialProxy(proxy: URL, signal: AbortSignal): Promise<Socket> {
  const host = hostOf(proxy);
  const port = Number(proxy.port) || { "http:": 80, "https:": 443 }[proxy.protocol] || 1080;
  return proxy.protocol === "https:"
    ? connected(connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) }), "secureConnect", signal)
    : connected(connect({ host, port }), "connect", signal);
}

async function dialThroughHttp(target: Target, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const through = await dialProxy(proxy, signal);
  const authority = authorityOf(target);
  const request = httpRequest({
    method: "CONNECT",
    path: authority,
    headers: { Host: authority, ...proxyCredentials(proxy) },
    createConnection: () => through,
    signal,
  });
  return new Promise((resolve, reject) => {
    request.once("connect", (response, socket: Socket, head: Buffer) => {
      if (response.statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(refusedBy(proxy, response.statusCode));
    });
    request.once("response", (response) => {
      through.destroy();
      reject(refusedBy(proxy, response.statusCode));
    });
    request.once("error", reject);
    request.end();
  });
}

async function dialThroughSocks(target: Target, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const type = /^socks4a?:$/.test(proxy.protocol) ? 4 : /^socks(5h?)?:$/.test(proxy.protocol) ? 5 : undefined;
  if (type === undefined) throw new Error(`the proxy ${proxy.host} cannot be spoken to by ${proxy.protocol}//`);
  const { SocksClient } = await import("socks");
  const { username, password } = proxy;
  const { socket } = await SocksClient.createConnection({
    command: "connect",
    existing_socket: await dialProxy(proxy, signal),
    destination: { host: hostOf(target), port: target.port },
    proxy: {
      // Not connected to: there is a connection. The library wants them all the same.
      host: hostOf(proxy),
      port: 1080,
      type,
      ...(username === "" ? {} : { userId: decodeURIComponent(username), password: decodeURIComponent(password) }),
    },
  });
  return socket;
}

/** An answer of a proxy's that is no connection. */
export function refusedBy({ host }: URL, status: number | undefined): Error {
  return new Error(`the proxy ${host} answered with status ${status}`);
}

async function connected(socket: Socket, event: "connect" | "secureConnect", signal: AbortSignal): Promise<Socket> {
  socket.setNoDelay(true);
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

/** A host as sockets take it. What is this machine by definition is not looked up: systems may not know app.localhost. */
function hostOf({ hostname }: Pick<Target, "hostname">): string {
  return hostname.endsWith(".localhost") ? "localhost" : hostname.replace(/^\[(.*)\]$/, "$1");
}

function isThisMachine(hostname: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|\[::1\]|(.+\.)?localhost)$/.test(hostname);
}
