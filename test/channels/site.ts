import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Channel, Goal } from "./channel.ts";

/** Which of the two hosts a channel tries to get to. */
export type Side = "allowed" | "forbidden";

/** The servers of the channel page, and what has reached them. */
export interface ChannelSite {
  /** Address of the page that opens a frame for every channel: first all that go to the forbidden host, then the others. */
  readonly pageUrl: string;
  /** What the browser may reach: the page's host, and the channels' hosts at its port. */
  readonly allowedHosts: readonly string[];
  /** By which channels something has reached a side. */
  arrived(side: Side): ReadonlySet<string>;
  /** Scripts that have done what they can to reach the forbidden host. */
  readonly tried: ReadonlySet<string>;
  /** Connections to the forbidden side and to the channels' own sockets, whatever they were for. */
  readonly forbiddenConnections: number;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  bin: "application/octet-stream",
  css: "text/css",
  events: "text/event-stream",
  html: "text/html",
  js: "text/javascript",
  json: "application/json",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  png: "image/svg+xml",
  svg: "image/svg+xml",
  txt: "text/plain",
  vtt: "text/vtt",
  woff2: "font/woff2",
  xsl: "text/xsl",
};
const picture = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><g id="a"/></svg>';
const bodies: Readonly<Record<string, string>> = { png: picture, svg: picture, vtt: "WEBVTT\n", json: "{}" };

/** Starts both servers on this machine: one that the browser may reach, and one that differs from it in the port alone. */
export async function openChannelSite(channels: readonly Channel[]): Promise<ChannelSite> {
  const arrivals = { allowed: new Set<string>(), forbidden: new Set<string>() };
  const tried = new Set<string>();
  const closers: (() => Promise<unknown>)[] = [];
  let forbiddenConnections = 0;
  const goals = { allowed: new Map<string, Goal>(), forbidden: new Map<string, Goal>() };

  /** Listens for http and TLS on one port. Of TLS the name is enough: who says it is there. */
  async function listen(side: Side): Promise<number> {
    const note = (id: string | undefined): void => void (id !== undefined && arrivals[side].add(id));
    const http = createHttpServer((request, response) => {
      const id = channelOf(request);
      if (goals.allowed.has(id)) note(id);
      const done = /^\/tried\/(.+)\/forbidden$/.exec(request.url ?? "")?.[1];
      if (done !== undefined) tried.add(done);
      answer(request, response, channels, goals);
    });
    http.on("upgrade", (request, socket) => {
      note(channelOf(request));
      socket.destroy();
    });
    const tls = createTlsServer({
      SNICallback(name, done) {
        note(name.split(".")[0]);
        done(new Error("there is no certificate"));
      },
    });
    tls.on("tlsClientError", () => undefined);
    const server = createServer((socket) => {
      if (side === "forbidden") forbiddenConnections += 1;
      socket.on("error", () => undefined);
      socket.once("data", (first) => {
        socket.pause();
        socket.unshift(first);
        (first[0] === 0x16 ? tls : http).emit("connection", socket);
        process.nextTick(() => socket.resume());
      });
    });
    closers.push(() => closeServer(server));
    return portOf(server);
  }

  async function listenBare(side: Side, id: string): Promise<number> {
    const server = createServer((socket) => {
      arrivals[side].add(id);
      if (side === "forbidden") forbiddenConnections += 1;
      socket.on("error", () => undefined);
    });
    closers.push(() => closeServer(server));
    return portOf(server);
  }

  async function listenUdp(side: Side, id: string): Promise<number> {
    const socket: UdpSocket = createSocket("udp4");
    socket.on("message", () => {
      arrivals[side].add(id);
      if (side === "forbidden") forbiddenConnections += 1;
    });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    closers.push(() => new Promise<void>((resolve) => void socket.close(resolve)));
    return socket.address().port;
  }

  const ports = { allowed: await listen("allowed"), forbidden: await listen("forbidden") };
  const origin = `http://127.0.0.1:${ports.allowed}`;
  for (const side of ["allowed", "forbidden"] as const) {
    for (const { id } of channels) {
      const hostname = `${id}.localhost`;
      const url = `http://${hostname}:${ports[side]}/${id}`;
      const at = (ending: string): string => `${url}.${ending}`;
      const redirect = (status: number, ending?: string): string =>
        `${origin}/redirect?status=${status}&to=${encodeURIComponent(ending === undefined ? url : at(ending))}`;
      const bare = `127.0.0.1:${await listenBare(side, id)}`;
      const udp = await listenUdp(side, id);
      goals[side].set(id, { hostname, host: `${hostname}:${ports[side]}`, url, at, redirect, bare, udp });
    }
  }
  return {
    pageUrl: `${origin}/page`,
    allowedHosts: [`127.0.0.1:${ports.allowed}`, `*.localhost:${ports.allowed}`],
    arrived: (side) => arrivals[side],
    tried,
    get forbiddenConnections() {
      return forbiddenConnections;
    },
    close: async () => void (await Promise.all(closers.map((close) => close()))),
  };
}

function channelOf({ url = "" }: IncomingMessage): string {
  return /^\/([^/.?]+)/.exec(url)?.[1] ?? "";
}

function answer(
  { url = "" }: IncomingMessage,
  response: ServerResponse,
  channels: readonly Channel[],
  goals: Readonly<Record<Side, ReadonlyMap<string, Goal>>>,
): void {
  const { pathname, searchParams } = new URL(url, "http://site");
  const [, place = "", name = "", side = ""] = pathname.split("/");
  const ending = pathname.split(".")[1] ?? "";
  response.setHeader("Access-Control-Allow-Origin", "*");
  response.setHeader("Access-Control-Allow-Headers", "*");
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Connection", "close");
  const send = (type: string, body: string): void => void response.setHeader("Content-Type", type).end(body);
  if (place === "page") send("text/html", page(channels));
  else if (place === "worker.js") send("text/javascript", searchParams.get("code") ?? "");
  else if (place === "document.xml") send("text/xml", searchParams.get("text") ?? "");
  else if (place === "redirect")
    response.writeHead(Number(searchParams.get("status")), { Location: searchParams.get("to") ?? "" }).end();
  else if (place === "frame") {
    const channel = channels.find(({ id }) => id === name);
    const goal = goals[side as Side].get(name);
    if (channel === undefined || goal === undefined) return send("text/plain", "none");
    for (const [header, value] of Object.entries(channel.headers?.(goal) ?? {})) response.setHeader(header, value);
    send("text/html", channel.markup(goal));
  } else send(types[ending] ?? "text/plain", bodies[ending] ?? "");
}

/** A frame that never loads must not hold up the others. */
const page = (
  channels: readonly Channel[],
): string => `<!doctype html><title>Channels</title><body><script type="module">
  const inFrames = ${JSON.stringify(channels.filter(({ inTab }) => inTab !== true).map(({ id }) => id))};
  const inTabs = ${JSON.stringify(channels.filter(({ inTab }) => inTab === true).map(({ id }) => id))};
  const openAll = (side) => Promise.all(inFrames.map((id) => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.allow = "payment; identity-credentials-get; shared-storage; attribution-reporting; autoplay";
    frame.src = "/frame/" + id + "/" + side;
    frame.onload = resolve;
    setTimeout(resolve, 10000);
    document.body.append(frame);
  })));
  for (const side of ["forbidden", "allowed"]) {
    for (const id of inTabs) open("/frame/" + id + "/" + side);
    await openAll(side);
  }
  document.title = "done";
</script>`;

const open = new WeakMap<Server, Set<Socket>>();

async function portOf(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  open.set(server, sockets);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  for (const socket of open.get(server) ?? []) socket.destroy();
  await closed;
}
