import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

/** A company's proxy: it wants a name and a password, and knows names that nobody else does. */
export interface UpstreamProxy {
  /** Its address, credentials included. */
  readonly url: string;
  /** What it was asked for with the right credentials: `GET http://site.test:8080/`, `CONNECT site.test:443`. */
  readonly asked: readonly string[];
  /** How many requests brought other credentials, or none. */
  readonly refused: number;
  close(): Promise<void>;
}

/** Opens a proxy on 127.0.0.1. Names that end in `.test` or `.localhost` lead to 127.0.0.1. */
export async function openUpstreamProxy(): Promise<UpstreamProxy> {
  const [name, password] = ["row@call", "p:ss word"];
  const wanted = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  const asked: string[] = [];
  let refused = 0;
  const admits = ({ headers, method, url }: IncomingMessage): boolean => {
    if (headers["proxy-authorization"] === wanted) {
      asked.push(`${method} ${url}`);
      return true;
    }
    refused += 1;
    return false;
  };
  const hostOf = (hostname: string): string => (/\.(test|localhost)$/.test(hostname) ? "127.0.0.1" : hostname);

  const server = createServer((request, response) => {
    if (!admits(request)) {
      response.writeHead(407, { "Proxy-Authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const { hostname, port, pathname, search } = new URL(request.url ?? "");
    const { "proxy-authorization": _own, ...headers } = request.headers;
    const path = `${pathname}${search}`;
    const outgoing = httpRequest({ host: hostOf(hostname), port, path, method: request.method, headers });
    outgoing.on("response", (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, incoming.headers);
      incoming.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    request.pipe(outgoing);
  });
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };
  server.on("connection", keep);
  server.on("connect", (request, client) => {
    if (!admits(request)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="test"\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect({ host: hostOf(hostname), port: Number(port || 80) }, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    keep(target);
    target.once("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  url.username = encodeURIComponent(name);
  url.password = encodeURIComponent(password);
  return {
    url: url.href,
    asked,
    get refused() {
      return refused;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
