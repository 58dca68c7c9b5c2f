import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A SOCKS5 proxy that wants a name and a password. */
export interface SocksProxy {
  /** Its address, credentials included. */
  readonly url: string;
  /** Where it was asked to connect to: `site.test:8080`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens a SOCKS5 proxy on 127.0.0.1. Names that end in `.test` lead to 127.0.0.1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1928, https://www.rfc-editor.org/rfc/rfc1929
 */
export async function openSocksProxy(): Promise<SocksProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };
  const message = async (socket: Socket): Promise<Buffer> => ((await once(socket, "data")) as [Buffer])[0];

  /** Every message of the client's is waited for by it, so that each comes by itself. */
  async function serve(client: Socket): Promise<void> {
    await message(client);
    client.write(Buffer.from([5, 2]));
    const login = await message(client);
    const right = login.equals(Buffer.from("\u0001\u0007rowcall\u0006secret"));
    client.write(Buffer.from([1, right ? 0 : 1]));
    if (!right) return;
    const request = await message(client);
    const [, , , kind = 0, length = 0] = request;
    const host =
      kind === 3 ? request.subarray(5, 5 + length).toString() : [...request.subarray(4, 8)].map(String).join(".");
    const port = request.readUInt16BE(request.length - 2);
    asked.push(`${host}:${port}`);
    const target = connect({ host: host.endsWith(".test") ? "127.0.0.1" : host, port });
    keep(target);
    await once(target, "connect");
    client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    client.pipe(target).pipe(client);
  }

  const server = createServer((client) => {
    keep(client);
    serve(client).catch(() => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `socks5://rowcall:secret@127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
