import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, afterEach, before, describe, it } from "node:test";
import { openSocksProxy } from "../../../../test/fakes/socks-proxy.ts";
import { openUpstreamProxy, type UpstreamProxy } from "../../../../test/fakes/upstream-proxy.ts";
import { parseAllowedHosts } from "../../allowed-hosts.ts";
import { openEgress, type Egress } from "./egress.ts";

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

describe("egress", () => {
  let server: Server;
  let port: number;
  let asked: string[];
  let sockets: Set<unknown>;
  let egress: Egress;
  const proxyVariables = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap((name) => [
    name,
    name.toUpperCase(),
  ]);
  const usual = Object.fromEntries(proxyVariables.map((name) => [name, process.env[name]]));

  before(async () => {
    for (const name of proxyVariables) delete process.env[name];
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.headers.host}${request.url}`);
      sockets.add(request.socket);
      void text(request).then((body) => {
        response.writeHead(Number(request.headers["x-status"] ?? 200), "As You Like", ["X-Many", "1", "X-Many", "2"]);
        response.end(JSON.stringify({ headers: request.headers, body }));
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(async () => {
    for (const [name, value] of Object.entries(usual)) if (value !== undefined) process.env[name] = value;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  afterEach(async () => {
    for (const name of proxyVariables) delete process.env[name];
    await egress.close();
  });

  async function open(...hosts: readonly string[]): Promise<void> {
    asked = [];
    sockets = new Set();
    egress = await openEgress(parseAllowedHosts(hosts));
  }

  /** As a browser asks its proxy. */
  function ask(url: string, options: { method?: string; body?: string; headers?: object } = {}): Promise<Answer> {
    const { host } = new URL(url);
    const { port: proxyPort } = new URL(egress.proxyUrl);
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        host: "127.0.0.1",
        port: proxyPort,
        method: options.method ?? "GET",
        path: url,
        headers: { host, "proxy-connection": "keep-alive", ...options.headers },
      });
      request.on("response", (response) => {
        const { statusCode: status, headers } = response;
        text(response).then((body) => resolve({ status, headers, body }), reject);
      });
      request.on("error", reject);
      request.end(options.body);
    });
  }

  /** Asks for a tunnel; what comes through it after an HTTP request, or the refusal. */
  function tunnel(authority: string): Promise<string> {
    const { port: proxyPort } = new URL(egress.proxyUrl);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(proxyPort), "127.0.0.1");
      let seen = "";
      socket.setEncoding("latin1");
      socket.on("data", (chunk: string) => {
        if (seen === "" && chunk.startsWith("HTTP/1.1 200 "))
          socket.write("GET /inside HTTP/1.1\r\nHost: inside\r\nConnection: close\r\n\r\n");
        seen += chunk;
      });
      socket.on("end", () => resolve(seen));
      socket.on("error", reject);
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    });
  }

  it("passes a request on as it came, less what is of the connection", async () => {
    await open(`127.0.0.1:${port}`);
    const answer = await ask(`http://127.0.0.1:${port}/a%20b?c=|d`, {
      method: "POST",
      body: "form",
      headers: { "content-length": 4, "x-own": "1", "x-status": "418", te: "trailers" },
    });
    const { headers, body } = JSON.parse(answer.body) as { headers: Record<string, string>; body: string };
    assert.deepEqual(asked, [`POST 127.0.0.1:${port}/a%20b?c=|d`]);
    assert.equal(answer.status, 418);
    assert.equal(answer.headers["x-many"], "1, 2");
    assert.equal(body, "form");
    assert.equal(headers["x-own"], "1");
    assert.deepEqual([headers["proxy-connection"], headers["te"]], [undefined, undefined]);
  });

  it("cuts requests for other hosts, and for other ports of an allowed one", async () => {
    await open(`127.0.0.1:${port}`);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port + 1}`, "127.0.0.1", `127.0.0.1.evil.test:${port}`])
      await assert.rejects(ask(`http://${host}/`), { code: "ECONNRESET" }, host);
    assert.deepEqual(asked, []);
  });

  it("knows a host in every way of writing it, and looks no other up", async () => {
    await open(`127.0.0.1:${port}`);
    for (const host of ["2130706433", "0x7f.1", "127.1", "１２７.0.0.1".normalize("NFKC")])
      assert.equal((await ask(`http://${host}:${port}/`)).status, 200, host);
    await egress.close();
    await open("example.com");
    for (const host of ["2130706433", "0x7f.1", "127.1"])
      await assert.rejects(ask(`http://${host}:${port}/`), { code: "ECONNRESET" }, host);
  });

  it("tunnels to allowed hosts alone", async () => {
    await open(`127.0.0.1:${port}`);
    assert.match(await tunnel(`127.0.0.1:${port}`), /200 As You Like/);
    for (const authority of [
      `localhost:${port}`,
      `127.0.0.1:${port + 1}`,
      `127.0.0.1:${port}@evil.test:${port}`,
      "evil",
      "",
    ])
      assert.match(await tunnel(authority), /^HTTP\/1\.1 (403|400) /, authority);
    assert.deepEqual(asked, ["GET inside/inside"]);
  });

  it("is no web server: what is not asked of a proxy it does not answer", async () => {
    await open("*");
    const answer = await fetch(egress.proxyUrl);
    assert.equal(answer.status, 400);
  });

  const another = process.platform === "linux" && process.getuid?.() === 0;
  it(
    "serves no other user of the machine",
    { skip: !another && "only root can be another user, on Linux" },
    async () => {
      await open("*");
      const asks = `
      const { connect } = require("node:net");
      const socket = connect(${new URL(egress.proxyUrl).port}, "127.0.0.1");
      socket.write("GET http://127.0.0.1:${port}/ HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n");
      socket.on("data", (data) => process.stdout.write(data));
      socket.on("error", () => process.stdout.write("cut"));
      socket.on("end", () => process.stdout.write("over"));
    `;
      const told = async (uid: number): Promise<string> => {
        const child = spawn(process.execPath, ["--eval", asks], { uid, cwd: "/", env: {} });
        return text(child.stdout);
      };
      assert.match(await told(0), /^HTTP\/1\.1 200 /);
      assert.match(await told(65_534), /^(cut|over)$/);
      assert.equal(asked.length, 1);
    },
  );

  it("keeps the connections of different clients apart", async () => {
    await open(`127.0.0.1:${port}`);
    await Promise.all([ask(`http://127.0.0.1:${port}/1`), ask(`http://127.0.0.1:${port}/2`)]);
    assert.equal(sockets.size, 2);
  });

  it("says why a host was not reached, until it is", async () => {
    const closed = createTcpServer();
    await new Promise<void>((resolve) => void closed.listen(0, "127.0.0.1", resolve));
    const { port: nobody } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await open("*");
    const url = `http://127.0.0.1:${nobody}/`;
    await assert.rejects(ask(url), { code: "ECONNRESET" });
    assert.equal(egress.whyUnreachable(url), "the connection was refused (ECONNREFUSED)");
    assert.match(await tunnel(`127.0.0.1:${nobody}`), /^HTTP\/1\.1 502 /);
    await ask(`http://127.0.0.1:${port}/`);
    assert.equal(egress.whyUnreachable(`http://127.0.0.1:${port}/`), undefined);
  });

  it("refuses an address before the browser goes there, and names it", async () => {
    await open("example.com:443");
    egress.admit("https://example.com/");
    for (const url of [
      "https://example.com:8443/",
      "http://example.com/",
      "file:///etc/passwd",
      "view-source:https://example.com/",
    ])
      assert.throws(() => egress.admit(url), { code: "HOST_BLOCKED" }, url);
  });

  describe("with a proxy in the environment", () => {
    let upstream: UpstreamProxy;
    before(async () => {
      upstream = await openUpstreamProxy();
    });
    after(() => upstream.close());

    it("goes through it with its credentials, whichever way the page goes", async () => {
      process.env["HTTP_PROXY"] = upstream.url;
      process.env["https_proxy"] = upstream.url;
      await open(`site.test:${port}`);
      assert.equal((await ask(`http://site.test:${port}/by?request`)).status, 200);
      assert.match(await tunnel(`site.test:${port}`), /200 As You Like/);
      await assert.rejects(ask(`http://other.test:${port}/`), { code: "ECONNRESET" });
      assert.match(await tunnel(`other.test:${port}`), /^HTTP\/1\.1 403 /);
      assert.deepEqual(upstream.asked, [`GET http://site.test:${port}/by?request`, `CONNECT site.test:${port}`]);
      assert.equal(upstream.refused, 0);
    });

    it("leaves out this machine and what NO_PROXY names", async () => {
      process.env["ALL_PROXY"] = upstream.url;
      const before = upstream.asked.length;
      await open("*");
      assert.equal((await ask(`http://127.0.0.1:${port}/`)).status, 200);
      process.env["NO_PROXY"] = "site.test";
      await assert.rejects(ask(`http://site.test:${port}/`), { code: "ECONNRESET" });
      assert.equal(upstream.asked.length, before);
    });

    it("says that the proxy refused, and lets no page take its answer for the site's", async () => {
      const { host } = new URL(upstream.url);
      process.env["ALL_PROXY"] = `http://who:knows@${host}`;
      await open("*");
      await assert.rejects(ask(`http://site.test:${port}/`), { code: "ECONNRESET" });
      assert.equal(egress.whyUnreachable(`http://site.test:${port}/`), `the proxy ${host} answered with status 407`);
      assert.match(await tunnel("site.test:443"), /^HTTP\/1\.1 502 /);
      assert.equal(egress.whyUnreachable("https://site.test/"), `the proxy ${host} answered with status 407`);
    });

    it("speaks SOCKS where the environment says so, and leaves the look-up of names to it", async () => {
      const socks = await openSocksProxy();
      try {
        process.env["ALL_PROXY"] = socks.url;
        await open(`site.test:${port}`);
        assert.equal((await ask(`http://site.test:${port}/`)).status, 200);
        assert.match(await tunnel(`site.test:${port}`), /200 As You Like/);
        assert.deepEqual(socks.asked, [`site.test:${port}`, `site.test:${port}`]);
      } finally {
        await egress.close();
        await socks.close();
      }
    });

    it("says which address of a proxy is none", async () => {
      process.env["ALL_PROXY"] = "gopher://proxy.test";
      await open("*");
      await assert.rejects(ask(`http://site.test:${port}/`), { code: "ECONNRESET" });
      assert.match(egress.whyUnreachable(`http://site.test:${port}/`) ?? "", /gopher/);
    });
  });
});
