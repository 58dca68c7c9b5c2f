import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the service got it. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers a request, or leaves it without an answer. */
export type Answer = (request: ReceivedRequest, response: ServerResponse) => void;

/** A local HTTP service. */
export interface TestService {
  readonly origin: string;
  readonly requests: readonly ReceivedRequest[];
  /** Emits `request`, and `closed` when a connection goes before its answer. */
  readonly events: EventEmitter;
  /** Connections that are open. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Starts a service on a free port of 127.0.0.1. */
export async function startService(answer: Answer): Promise<TestService> {
  const requests: ReceivedRequest[] = [];
  const events = new EventEmitter();
  const receive = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.on("close", () => {
      if (!response.writableEnded) events.emit("closed");
    });
    const body = Buffer.concat(await Array.fromAsync(message as AsyncIterable<Buffer>)).toString("utf8");
    const request = { method: message.method ?? "", path: message.url ?? "", headers: message.headers, body };
    requests.push(request);
    events.emit("request", request);
    answer(request, response);
  };
  const server = createServer((message, response) => void receive(message, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    events,
    connections: async () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers with JSON. */
export function json(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}
