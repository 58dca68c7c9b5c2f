import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { userOfEnd } from "../../../core/tcp-table.ts";
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline, type Duplex } from "node:stream";
import { dial, dialProxy, forwards, proxyCredentials, refusedBy, type RouteTo } from "./upstream.ts";
import type { Target } from "../../allowed-hosts.ts";

/**
 * Returns whether the other end of a connection within this machine belongs to this process's user, as far as the system tells: on Linux.
 * A listener on 127.0.0.1 is open to every user of the machine.
 *
 * @param socket - the end that has accepted the connection
 */
export async function isOwnClient(socket: Socket): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const table = await readFile("/proc/net/tcp", "latin1").catch(() => undefined);
  // Some containers hide it; they have one user.
  if (table === undefined) return true;
  const own = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
  const other = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
  const client = userOfEnd(table, other, own);
  // A table that does not even know this end tells nothing.
  return client === undefined ? userOfEnd(table, own, other) === undefined : client === process.getuid?.();
}

/** Options for a relay. */
export interface RelayOptions {
  readonly routeTo: RouteTo;
  /** Told how the connection to a target went: what was thrown, or undefined when there is one. */
  onDialed(target: Target, thrown: unknown): void;
}

/** Larger than any browser's: what fits is for the site to say. */
export const maxHeaderSize = 256 * 1024;

/**
 * Passes a browser's requests on to their targets, once it is known that they may go there. It holds no connection for longer than the
 * browser holds that which it is for.
 */
export function createRelay({ routeTo, onDialed }: RelayOptions) {
  const agents = new WeakMap<Duplex, Agent>();

  async function open(target: Target, opening: Promise<Socket>): Promise<Socket> {
    try {
      const socket = await opening;
      onDialed(target, undefined);
      return socket;
    } catch (thrown) {
      onDialed(target, thrown);
      throw thrown;
    }
  }

  /** A connection of the browser's has its own: one that was logged in for a row must not serve another. */
  function agentFor(client: Socket): Agent {
    const known = agents.get(client);
    if (known !== undefined) return known;
    const closed = closeSignal(client);
    const agent = new Agent({ keepAlive: true });
    agent.createConnection = ({ host, port }, callback) => {
      const target = { hostname: host ?? "", port: Number(port) };
      const route = routeTo("http", target);
      const opening = forwards(route) ? dialProxy(route.proxy, closed) : dial(target, route, closed);
      open(target, opening).then(
        (socket) => callback?.(null, socket),
        (thrown: Error) => callback?.(thrown, undefined as never),
      );
      return undefined;
    };
    closed.addEventListener("abort", () => agent.destroy(), { once: true });
    agents.set(client, agent);
    return agent;
  }

  return {
    /** Passes a request on whose target is an absolute http address. */
    request(request: IncomingMessage, response: ServerResponse, target: Target): void {
      const { socket: client, url = "", method } = request;
      // A page sees that the connection failed, as without a proxy; an answer of ours could be taken for the site's.
      const cut = (): void => void client.destroy();
      let through: URL | undefined;
      try {
        const route = routeTo("http", target);
        if (forwards(route)) through = route.proxy;
      } catch (thrown) {
        onDialed(target, thrown);
        cut();
        return;
      }
      const outgoing = httpRequest({
        host: target.hostname,
        port: target.port,
        method,
        path: through === undefined ? pathOf(url) : url,
        headers: [
          ...passedOn(request.rawHeaders),
          ...(through === undefined ? [] : Object.entries(proxyCredentials(through)).flat()),
        ],
        agent: agentFor(client),
        // The browser is what sites are written for; whether it takes an answer is for it to say.
        insecureHTTPParser: true,
        maxHeaderSize,
      });
      outgoing.on("response", (incoming) => {
        // Only a proxy may ask for this, and the browser would take us for it.
        if (incoming.statusCode === 407) {
          if (through !== undefined) onDialed(target, refusedBy(through, 407));
          cut();
          return;
        }
        response.sendDate = false;
        try {
          response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, passedOn(incoming.rawHeaders));
        } catch {
          cut();
          return;
        }
        // An event stream says nothing for a while.
        response.flushHeaders();
        pipeline(incoming, response, (error) => {
          if (error) cut();
        });
      });
      outgoing.on("error", cut);
      response.on("close", () => {
        if (!response.writableFinished) outgoing.destroy();
      });
      request.pipe(outgoing);
    },

    /** Opens a tunnel for a CONNECT. */
    async tunnel(client: Duplex, head: Buffer, target: Target): Promise<void> {
      try {
        const socket = await open(target, dial(target, routeTo("https", target), closeSignal(client)));
        client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        if (head.length > 0) socket.write(head);
        pipeline(client, socket, () => undefined);
        pipeline(socket, client, () => undefined);
      } catch {
        client.end("HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      }
    },
  };
}

/** Aborted when a connection is closed. */
function closeSignal(client: Duplex): AbortSignal {
  const closed = new AbortController();
  if (client.destroyed) closed.abort();
  else client.once("close", () => closed.abort());
  return closed.signal;
}

/** Path and query as the browser wrote them. */
function pathOf(url: string): string {
  return url.replace(/^http:\/\/[^/?#]*/i, "").replace(/^(?!\/)/, "/");
}

const ofTheConnection = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Names and values by turns, without those that are of one connection only. */
function passedOn(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2)
    if (!ofTheConnection.has(raw[i]!.toLowerCase())) kept.push(raw[i]!, raw[i + 1]!);
  return kept;
}
