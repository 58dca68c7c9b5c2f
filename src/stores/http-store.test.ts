import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { ByteRange, ObjectStore } from "../core/object-store.ts";
import { openHttpStore } from "./http-store.ts";

const text = "0123456789";
const modified = "Sat, 01 Mar 2025 10:00:00 GMT";

describe("https: and http: store", () => {
  let server: Server;
  let url: string;
  let store: ObjectStore;
  let answer: RequestListener;
  let requests: IncomingMessage[];

  beforeEach(async () => {
    requests = [];
    server = createServer((request, response) => {
      requests.push(request);
      answer(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a%20b.csv`;
    store = openHttpStore({ clock: () => 7000, retryDelayMs: 1 });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const read = async (range?: ByteRange, uri = url): Promise<string> =>
    Buffer.concat(await Array.fromAsync(store.read(uri, range))).toString();

  /** Answers as a static file server does. */
  const serve: RequestListener = (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] = [Number(from ?? 0), to ? Math.min(Number(to) + 1, text.length) : text.length];
    if (start >= text.length) return void response.writeHead(416, { "content-range": `bytes */${text.length}` }).end();
    response.writeHead(from === undefined ? 200 : 206, {
      "content-length": end - start,
      "last-modified": modified,
      etag: '"1"',
      ...(from === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${text.length}` }),
    });
    response.end(request.method === "HEAD" ? undefined : text.slice(start, end));
  };

  it("follows redirects, but not into this machine or a private network", async () => {
    const { port } = new URL(url);
    answer = (request, response) => {
      const to = new URL(request.url ?? "", url).searchParams.get("to");
      if (to === null) serve(request, response);
      else response.writeHead(302, { location: to }).end();
    };
    assert.equal(await read(undefined, `${url}?to=/b.csv`), text);
    assert.equal(await read(undefined, `${url}?to=${encodeURIComponent(`http://127.1:${port}/b.csv`)}`), text);
    const before = requests.length;
    const elsewhere = [
      `http://localhost:${port}/b.csv`,
      `http://127.0.0.2:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
    ];
    for (const to of elsewhere) {
      const message =
        /^Cannot read http:\S+: it leads elsewhere, and \S+( \(\S+\))? is not an address of the public internet$/;
      const from = `${url}?to=${encodeURIComponent(to)}`;
      await assert.rejects(read(undefined, from), { code: "STORE_DENIED", message });
      await assert.rejects(store.stat(from), { code: "STORE_DENIED", message });
    }
    assert.equal(requests.length, before + 2 * elsewhere.length);
  });

  it("reads whole objects and ranges, and tells size and time", async () => {
    answer = serve;
    assert.equal(await read(), text);
    assert.equal(requests[0]?.url, "/a%20b.csv");
    assert.equal(await read(undefined, url.replace("%20", " ")), text);
    assert.equal(await read({ start: 3, end: 6 }), "345");
    assert.equal(await read({ start: 8 }), "89");
    assert.equal(await read({ start: 8, end: 100 }), "89");
    assert.equal(await read({ start: 4, end: 4 }), "");
    assert.equal(await read({ start: 10 }), "");
    assert.deepEqual(await store.stat(url), { uri: url, size: 10, modifiedAt: Date.parse(modified) });
  });

  it("reads ranges from a server that knows none", async () => {
    answer = (_request, response) => {
      for (const digit of text) response.write(digit);
      response.end();
    };
    assert.equal(await read({ start: 3, end: 6 }), "345");
    assert.equal(await read({ start: 8 }), "89");
    assert.equal(await read({ start: 4, end: 4 }), "");
    assert.equal(await read({ start: 10 }), "");
  });

  it("finds size and time out where HEAD is refused or says neither", async () => {
    answer = (request, response) =>
      request.method === "HEAD" ? response.writeHead(403).end() : serve(request, response);
    assert.deepEqual(await store.stat(url), { uri: url, size: 10, modifiedAt: Date.parse(modified) });
    answer = (_request, response) => void response.writeHead(200, { "transfer-encoding": "chunked" }).end(text);
    assert.deepEqual(await store.stat(url), { uri: url, size: 10, modifiedAt: 7000 });
  });

  it("goes on from the last byte after a broken connection, and over failures that pass", async () => {
    answer = (request, response) => {
      if (requests.length === 1) return void response.writeHead(503).end();
      if (requests.length > 2) return serve(request, response);
      response.writeHead(200, { "content-length": text.length, etag: '"1"' });
      response.write(text.slice(0, 4), () => response.destroy());
    };
    assert.equal(await read(), text);
    assert.equal(requests[2]?.headers.range, "bytes=4-9");
  });

  it("says what is wrong by its status", async () => {
    const told: readonly (readonly [number, string, RegExp])[] = [
      [404, "STORE_NOT_FOUND", /Check the URL/],
      [410, "STORE_NOT_FOUND", /Check the URL/],
      [401, "STORE_DENIED", /who may read it/],
      [403, "STORE_DENIED", /may have expired/],
      [429, "STORE_FAILED", /later/],
      [500, "STORE_FAILED", /later/],
    ];
    for (const [status, code, hint] of told) {
      answer = (_request, response) => void response.writeHead(status).end();
      const message = new RegExp(`^Cannot read ${url}: the server answered ${status} `);
      await assert.rejects(read(), { code, message, hint });
      await assert.rejects(read({ start: 1, end: 1 }), { code });
    }
    answer = (_request, response) => void response.writeHead(404).end();
    assert.equal(await store.stat(url), undefined);
    answer = (_request, response) => void response.writeHead(403).end();
    await assert.rejects(store.stat(url), { code: "STORE_DENIED" });
  });

  it("lets go of an answer that it does not read, however long it is", { timeout: 60_000 }, async () => {
    for (const status of [403, 416]) {
      const left = Promise.withResolvers<void>();
      answer = (_request, response) => {
        response.on("close", left.resolve).writeHead(status);
        const go = (): void => {
          while (response.write(Buffer.alloc(64 * 1024))) continue;
        };
        response.on("drain", go);
        go();
      };
      await read().catch(() => {});
      await left.promise;
    }
  });

  it("says that a server cannot be reached", async () => {
    server.close();
    await once(server, "close");
    await assert.rejects(read(), { code: "STORE_FAILED", message: /^Cannot read http.*ECONNREFUSED/, hint: /network/ });
  });

  it("is read only", async () => {
    const told = { code: "STORE_DENIED", message: /the web is read only$/, hint: /^Only inputs/ };
    await assert.rejects(store.write(url, Buffer.from("a")), told);
    await assert.rejects(store.delete(url), told);
    await assert.rejects(store.copy(url, url), told);
    await assert.rejects(Array.fromAsync(store.list(url)), told);
  });

  it("refuses what is no URL, and one with a password without showing it", async () => {
    await assert.rejects(read(undefined, "https:rows csv"), { code: "USAGE_INVALID", hint: /https:\/\/host/ });
    await assert.rejects(read(undefined, "https://me:secret@host/a"), (error: Error) => {
      assert.doesNotMatch(error.message, /secret/);
      return error.message.includes("host/a");
    });
  });
});
