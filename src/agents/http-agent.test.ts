import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { aContext, contractConcurrency, invokerContract, refusal } from "../../test/contracts/invoker-contract.ts";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import { json, startService, type Answer, type TestService } from "../../test/fakes/echo-service.ts";
import type { AgentInput, Invoker } from "../core/agent.ts";
import { RowcallError } from "../core/errors.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import { openHttpAgent } from "./http-agent.ts";

type Config = Readonly<Record<string, unknown>>;

const now = Date.parse("2025-10-18T05:30:00Z");

async function open(config: Config, secrets: Readonly<Record<string, string>> = {}): Promise<Invoker> {
  const environment = anEnvironment({ concurrency: contractConcurrency, secret: (name) => secrets[name] });
  return openHttpAgent(agentOf("http", config), environment, { clock: () => now, monotonic: () => 0 });
}

function contractAnswer(text: string | null | undefined, response: Parameters<Answer>[1]): void {
  if (text === "fail!") json(response, { error: refusal }, 400);
  else if (text !== "hang!") json(response, { structured_output: { echo: text } });
}

const places: readonly (readonly [
  place: string,
  config: Config,
  textOf: (request: Parameters<Answer>[0]) => string | null | undefined,
])[] = [
  [
    "body",
    { method: "POST", body: { text: "{{text}}", list: ["{{text}}"] } },
    ({ body }) => (JSON.parse(body) as { text: string }).text,
  ],
  ["query", { query: { text: "{{text}}" } }, ({ path }) => new URL(path, "http://x").searchParams.get("text")],
  ["path", { url: "/of/{{text}}?x=1" }, ({ path }) => decodeURIComponent(/^\/of\/(.*)\?x=1$/.exec(path)?.[1] ?? "")],
];

for (const [place, config, textOf] of places) {
  invokerContract(`http (values in the ${place})`, async () => {
    const service = await startService((request, response) => contractAnswer(textOf(request), response));
    const hung = new Promise<void>((resolve) => {
      service.events.on("request", (request: Parameters<typeof textOf>[0]) => {
        if (textOf(request) === "hang!") resolve();
      });
    });
    const closed = once(service.events, "closed");
    const { url = "/", ...rest } = config;
    return {
      invoker: await open({ ...rest, url: `${service.origin}${String(url)}` }),
      echo: (text) => ({ text }),
      fail: () => ({ text: "fail!" }),
      hang: () => ({ text: "hang!" }),
      hanging: () => hung,
      released: async () => void (await closed),
      close: service.close,
    };
  });
}

interface Called {
  readonly reply?: JsonValue;
  readonly error?: RowcallError;
  readonly service: TestService;
}

/** Calls a service once and closes everything. */
async function call(
  answer: Answer,
  config: Config = {},
  input: AgentInput = {},
  secrets: Readonly<Record<string, string>> = {},
): Promise<Called> {
  const service = await startService(answer);
  const { url = "/", ...rest } = config;
  const invoker = await open(
    { ...rest, url: String(url).replace(/^(?=\/)/, service.origin) },
    { ORIGIN: service.origin, ...secrets },
  );
  try {
    return { reply: await invoker.invoke(input, aContext()), service };
  } catch (error) {
    assert.ok(error instanceof RowcallError, String(error));
    return { error, service };
  } finally {
    await invoker.close();
    await service.close();
  }
}

const ok: Answer = (_request, response) => json(response, { structured_output: {} });

test("sends a GET that asks for JSON", async () => {
  const { service } = await call(ok, { url: "/a/{{id}}" }, { id: 7 });
  const [request] = service.requests;
  assert.deepEqual([request?.method, request?.path, request?.body], ["GET", "/a/7", ""]);
  assert.equal(request?.headers.accept, "application/json");
  assert.equal(request?.headers["user-agent"], "rowcall");
});

test("encodes values in path and query; what three braces insert stays as it is", async () => {
  const { service } = await call(
    ok,
    { url: "/{{a}}/{{{b}}}?q={{a}}", query: { r: "{{a}}", n: 1, none: "{{#c}}{{c}}{{/c}}" } },
    { a: "x/y&z", b: "p/q" },
  );
  assert.equal(service.requests[0]?.path, "/x%2Fy%26z/p/q?q=x%2Fy%26z&r=x%2Fy%26z&n=1");
});

test("sends the input itself as JSON when a POST names no body", async () => {
  const input = { postcode: "E8 4LX", floor: 3 };
  const { service } = await call(ok, { method: "POST" }, input);
  assert.deepEqual(JSON.parse(service.requests[0]?.body ?? ""), input);
  assert.equal(service.requests[0]?.headers["content-type"], "application/json");
});

test("keeps the types of values in a JSON body, and sends text as text", async () => {
  const body = { floor: "{{floor}}", where: "{{street}}, {{floor}}", fixed: [true, null] };
  const { service } = await call(ok, { method: "PUT", body }, { floor: 3, street: 'High "St"' });
  assert.deepEqual(JSON.parse(service.requests[0]?.body ?? ""), {
    floor: 3,
    where: 'High "St", 3',
    fixed: [true, null],
  });
  const text = await call(
    ok,
    { method: "POST", body: "a={{a}}", headers: { "Content-Type": "text/csv" } },
    { a: "1\n2" },
  );
  assert.equal(text.service.requests[0]?.body, "a=1\n2");
  assert.equal(text.service.requests[0]?.headers["content-type"], "text/csv");
});

test("a variable that is missing fails the row before anything is sent", async () => {
  const { error, service } = await call(ok, { url: "/{{id}}" });
  assert.deepEqual([error?.code, error?.message], ["TEMPLATE_RENDER", 'Template variable "id" is missing']);
  assert.equal(service.requests.length, 0);
});

test("a row's value cannot lead to another path, host or header", async () => {
  const anywhere = { allowed_hosts: ["*"] };
  const refused: readonly (readonly [config: Config, value: string])[] = [
    [{ url: "/a/{{v}}/b" }, ".."],
    [{ url: "/a/{{v}}" }, "."],
    [{ url: "/a/{{v}}." }, "."],
    [{ url: "/a/{{v}}" }, "../admin"],
    [{ url: "/a/{{v}}" }, "x/../../admin"],
    [{ url: "/a/{{v}}" }, String.raw`..\admin`],
    [{ url: "/a/{{v}}" }, "..%2Fadmin"],
    [{ url: "/a/{{v}}" }, "..%252fadmin"],
    [{ url: "/a/{{v}}" }, "..;/admin"],
    [{ url: "/a/{{{v}}}/b" }, "%2e%2E"],
    [{ url: "/a/{{{v}}}/b" }, String.raw`..\admin`],
    [{ url: "/a/{{{v}}}/b" }, ".\t./admin"],
    [{ ...anywhere, url: "http://{{v}}.example.com/" }, "evil.test/"],
    [{ ...anywhere, url: "http://{{v}}.example.com/" }, "me@evil.test#"],
    [{ ...anywhere, url: "http://{{{v}}}example.com/" }, "me:pass@"],
    [{ ...anywhere, url: "{{{v}}}" }, "file:///etc/passwd"],
    [{ url: "/", headers: { "x-id": "{{v}}" } }, "1\r\nx-admin: 1"],
    [{ url: "/", headers: { "x-id": "{{v}}" } }, "🏠"],
  ];
  for (const [config, v] of refused) {
    const { error, service } = await call(ok, config, { v });
    assert.equal(error?.code, "ROW_INVALID", v);
    assert.equal(service.requests.length, 0);
  }
});

test("dots in a row's value that lead nowhere are sent", async () => {
  for (const v of ["...", "a..b", "v1.2", "a/b", "50%", "x;y", ".well-known"]) {
    const { service } = await call(ok, { url: "/a/{{v}}" }, { v });
    assert.equal(service.requests[0]?.path, `/a/${encodeURIComponent(v)}`);
  }
});

test("a row does not choose the host unless the agent allows it", async () => {
  const key = { secrets: ["KEY"], headers: { authorization: "{{env.KEY}}" } };
  for (const url of [
    "http://{{v}}/",
    "{{{v}}}",
    "http://api.test{{v}}/",
    "http://api.test:{{v}}/",
    "http://{{#v}}api{{/v}}.test/",
    "http://api.test{{{v}}}",
    "http://{{env.KEY}}/",
  ]) {
    await assert.rejects(open({ ...key, url }, { KEY: "s3cret" }), (error: RowcallError) => {
      assert.equal(error.code, "AGENT_INVALID");
      assert.match(error.message, /a variable has a part in the host of/);
      assert.match(error.hint ?? "", /"allowed_hosts"/);
      return true;
    });
  }
  for (const url of ["http://api.test/{{v}}", "http://api.test?q={{v}}", "http://127.0.0.1:80/{{{v}}}"])
    await (await open({ ...key, url }, { KEY: "s3cret" })).close();
  await assert.rejects(open({ url: "http://{{v}}/", allowed_hosts: ["http://a"] }), { code: "AGENT_INVALID" });
  await assert.rejects(open({ url: "http://me:pass@api.test/" }), { code: "AGENT_INVALID" });
});

test("a host that a row chooses is one that is allowed, and not of this machine or a private network", async () => {
  const service = await startService(ok);
  const { port } = new URL(service.origin);
  const ask = async (url: string, allowed_hosts: readonly string[], v: string): Promise<string> => {
    const invoker = await open(
      { url, allowed_hosts, secrets: ["KEY"], headers: { authorization: "{{env.KEY}}" } },
      { KEY: "s3cret" },
    );
    try {
      await invoker.invoke({ v }, aContext());
      return "sent";
    } catch (error) {
      assert.ok(error instanceof RowcallError);
      return error.code;
    } finally {
      await invoker.close();
    }
  };
  const at = `http://{{{v}}}:${port}/`;
  const own = [
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "１２７.0.0.1",
    "127。0。0。1",
    "127.0.0.1.",
  ];
  for (const v of [...own, "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "[::7f00:1]", "0.0.0.0"]) {
    assert.equal(await ask(at, ["*"], v), "HOST_BLOCKED", v);
    assert.equal(await ask(at, ["*.example.com", "api.test"], v), "HOST_BLOCKED", v);
  }
  for (const v of ["evil.test", "api.test.evil.test", "example.com", "xapi.test", "api.test."])
    assert.equal(await ask(at, ["*.example.com", "api.test"], v), "HOST_BLOCKED", v);
  assert.equal(service.requests.length, 0);
  for (const v of own) assert.equal(await ask(at, ["127.0.0.1"], v), "sent", v);
  assert.equal(await ask(at, [`127.0.0.1:${port}`, "*"], "127.0.0.1"), "sent");
  assert.equal(await ask(at, ["localhost"], "localhost"), "sent");
  assert.equal(await ask(at, ["127.0.0.1:1"], "127.0.0.1"), "HOST_BLOCKED");
  await service.close();
});

test("takes the reply as it is, the body as the output, or a part of it", async () => {
  const service: Answer = (_request, response) => json(response, { result: [{ speed: 80 }], n: 1 });
  assert.deepEqual((await call(service)).reply, { result: [{ speed: 80 }], n: 1 });
  assert.deepEqual((await call(service, { output: "body" })).reply, {
    structured_output: { result: [{ speed: 80 }], n: 1 },
  });
  assert.deepEqual((await call(service, { output: "$.result[0]" })).reply, { structured_output: { speed: 80 } });
  assert.deepEqual((await call(service, { output: "$.none" })).reply, {});
  assert.match(
    (await call(service, { output: "$.result" })).error?.message ?? "",
    /^What is at \$\.result in the answer .* is not an object$/,
  );
});

test("keeps the digits of numbers that JavaScript cannot hold", async () => {
  const text = '{"id":12345678901234567890,"price":1.5}';
  const { reply } = await call((_, response) => response.end(text), { output: "body" });
  assert.equal(JSON.stringify(reply), `{"structured_output":${text}}`);
});

test("reads compressed answers and a byte order mark", async () => {
  const { reply } = await call((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync('\uFEFF{"a":"naïve 🏠"}'));
  });
  assert.deepEqual(reply, { a: "naïve 🏠" });
});

test("429 and 5xx are HTTP_UNAVAILABLE with the wait that the service asked for", async () => {
  const waits: readonly (readonly [status: number, header: string | undefined, expected: number | undefined])[] = [
    [429, "7", 7000],
    [503, "Sat, 18 Oct 2025 05:31:30 GMT", 90_000],
    [503, "Sat, 18 Oct 2025 05:00:00 GMT", 0],
    [500, "soon", undefined],
    [502, undefined, undefined],
  ];
  for (const [status, header, expected] of waits) {
    const { error } = await call((_request, response) =>
      json(response, { error: "busy" }, status, header === undefined ? {} : { "retry-after": header }),
    );
    assert.equal(error?.code, "HTTP_UNAVAILABLE");
    assert.equal(error.retryable, true);
    assert.equal(error.details["retryAfterMs"], expected);
    assert.match(error.message, new RegExp(`^GET http://127\\.0\\.0\\.1:\\d+/ answered ${status} .*busy`));
  }
});

test("another status is HTTP_STATUS with what the service said, shortened, and is not retried", async () => {
  const { error } = await call((_request, response) =>
    response.writeHead(404).end(`no such\n\tplace ${"x".repeat(1000)}`),
  );
  assert.deepEqual([error?.code, error?.retryable], ["HTTP_STATUS", false]);
  assert.match(error?.message ?? "", /\/ answered 404 Not Found: no such place x{186}…$/);
});

test("success_status decides which statuses are answers", async () => {
  const missing: Answer = (_request, response) => json(response, { structured_output: { found: false } }, 404);
  assert.deepEqual((await call(missing, { success_status: [200, 404] })).reply, {
    structured_output: { found: false },
  });
  assert.equal((await call(ok, { success_status: [201] })).error?.code, "HTTP_STATUS");
});

test("follows no redirect, and says where it leads", async () => {
  const { error, service } = await call((_request, response) =>
    response.writeHead(302, { location: "https://elsewhere.test/" }).end(),
  );
  assert.equal(error?.code, "HTTP_STATUS");
  assert.match(error.hint ?? "", /https:\/\/elsewhere\.test\//);
  assert.equal(service.requests.length, 1);
});

test("an answer that is not JSON is OUTPUT_INVALID with its beginning", async () => {
  const { error } = await call((_request, response) => response.end("<html>Maintenance</html>"));
  assert.equal(error?.code, "OUTPUT_INVALID");
  assert.match(error.message, /answered with a body that is not JSON: <html>Maintenance/);
  const empty = await call((_request, response) => response.writeHead(204).end());
  assert.match(empty.error?.message ?? "", /answered with an empty body$/);
});

test("an answer beyond 10 MiB is cut off", async () => {
  const { error } = await call((_request, response) => {
    response.on("error", () => {});
    response.end(Buffer.alloc(11 * 1024 * 1024, " "));
  });
  assert.equal(error?.code, "OUTPUT_INVALID");
  assert.match(error.message, /more than 10 MiB$/);
});

test("a connection that is refused or cut is HTTP_UNAVAILABLE, in words", async () => {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const invoker = await open({ url: `http://127.0.0.1:${port}/` });
  await assert.rejects(invoker.invoke({}, aContext()), {
    code: "HTTP_UNAVAILABLE",
    message: /could not be reached: the connection was cut \((UND_ERR_SOCKET|ECONNRESET)\)$/,
  });
  server.close();
  await once(server, "close");
  await assert.rejects(invoker.invoke({}, aContext()), {
    code: "HTTP_UNAVAILABLE",
    message: `GET http://127.0.0.1:${port}/ could not be reached: the connection was refused (ECONNREFUSED)`,
    hint: /./,
  });
  await invoker.close();
});

test("an answer that breaks off is HTTP_UNAVAILABLE", async () => {
  const { error } = await call((_request, response) => {
    response.writeHead(200, { "content-length": "100" }).write('{"structured_output":');
    response.destroy();
  });
  assert.equal(error?.code, "HTTP_UNAVAILABLE");
});

test("keeps connections between calls, and opens no more than run at once", async () => {
  const service = await startService(ok);
  const invoker = await open({ url: service.origin });
  try {
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: contractConcurrency * 2 }, () => invoker.invoke({}, aContext())));
    }
    assert.equal(service.requests.length, 10 * contractConcurrency);
    assert.ok((await service.connections()) <= contractConcurrency);
  } finally {
    await invoker.close();
    await service.close();
  }
});

test("opens more connections at once when it is widened", async () => {
  const all = Promise.withResolvers<void>();
  let under = 0;
  const service = await startService((...call) => {
    if ((under += 1) === contractConcurrency + 2) all.resolve();
    void all.promise.then(() => ok(...call));
  });
  const invoker = await open({ url: service.origin });
  try {
    invoker.widen?.(contractConcurrency + 2);
    await Promise.all(Array.from({ length: contractConcurrency + 2 }, () => invoker.invoke({}, aContext())));
  } finally {
    await invoker.close();
    await service.close();
  }
});

test("sends secrets, and shows them nowhere", async () => {
  const TOKEN = 'tök"en/+ 1';
  const config = {
    url: "/{{env.TOKEN}}?k={{env.TOKEN}}",
    method: "POST",
    body: { key: "{{env.TOKEN}}" },
    secrets: ["TOKEN"],
  };
  const echo: Answer = ({ body }, response) => response.writeHead(401).end(`wrong ${body} ${TOKEN}`);
  const { error, service } = await call(echo, config, {}, { TOKEN });
  const [request] = service.requests;
  assert.equal(request?.path, `/${encodeURIComponent(TOKEN)}?k=${encodeURIComponent(TOKEN)}`);
  assert.deepEqual(JSON.parse(request.body), { key: TOKEN });
  assert.match(
    error?.message ?? "",
    /^POST http:\/\/127\.0\.0\.1:\d+\/\*\*\*\?k=\*\*\* answered 401 Unauthorized: wrong \{"key":"\*\*\*"\} \*\*\*$/,
  );
  assert.match(error?.hint ?? "", /secrets/);
});

test("notes the call as a step, without secrets", async () => {
  const service = await startService(ok);
  const invoker = await open({ url: `${service.origin}/{{env.KEY}}/{{id}}`, secrets: ["KEY"] }, { KEY: "s3cret" });
  const context = aContext();
  try {
    await invoker.invoke({ id: 1 }, context);
  } finally {
    await invoker.close();
    await service.close();
  }
  assert.deepEqual(context.steps, [
    { name: `GET ${service.origin}/***/1`, status: "done", durationMs: 0, detail: "200 OK" },
  ]);
});

test("a secret may be the service's address", async () => {
  const { service } = await call(ok, {
    url: "{{{env.ORIGIN}}}/a",
    secrets: ["ORIGIN"],
    allowed_hosts: ["127.0.0.1"],
  });
  assert.equal(service.requests[0]?.path, "/a");
});

test("previews the request without secrets, and names its host", async () => {
  const invoker = await open(
    { url: "https://api.test/v1", method: "POST", headers: { Authorization: "Bearer {{env.KEY}}" }, secrets: ["KEY"] },
    { KEY: "s3cret" },
  );
  const preview = invoker.preview?.({ id: 1 });
  assert.ok(isJsonObject(preview));
  assert.deepEqual(preview, {
    method: "POST",
    url: "https://api.test/v1",
    headers: {
      accept: "application/json",
      "user-agent": "rowcall",
      "content-type": "application/json",
      authorization: "Bearer ***",
    },
    body: { id: 1 },
  });
  assert.equal(invoker.targetHost?.({ id: 1 }), "api.test");
  await invoker.close();
});

test("knows no host for a row whose URL cannot be made", async () => {
  const invoker = await open({ url: "https://{{region}}.api.test/", allowed_hosts: ["*.api.test"] });
  assert.equal(invoker.targetHost?.({ region: "eu" }), "eu.api.test");
  assert.equal(invoker.targetHost?.({}), undefined);
  await invoker.close();
});

test("names every secret that is missing when it is opened", async () => {
  await assert.rejects(open({ url: "https://api.test/", secrets: ["A", "B", "C"] }, { B: "b", C: "" }), {
    code: "SECRET_MISSING",
    message: "Agent tested needs A, C, not set in the environment",
    hint: /export A=/,
  });
});

test("refuses a wrong config when it is opened, with everything that is wrong", async () => {
  const wrong: readonly (readonly [config: Config, paths: readonly string[]])[] = [
    [{ url: "api.test" }, ["url"]],
    [{ url: "ftp://api.test", body: {}, headers: { "x y": "1" } }, ["url", "body", "headers.x y"]],
    [{ url: "https://api.test/{{#a}}" }, ["url"]],
    [{ url: "https://api.test/{{env.KEY}}", headers: { a: "{{env}}" } }, ["url", "headers"]],
    [{ url: "https://api.test/", output: "result" }, ["output"]],
    [{ url: "https://api.test/", output: "$[" }, ["output"]],
    [{ url: "https://api.test/", methd: "POST" }, ["methd"]],
    [{}, ["url"]],
  ];
  for (const [config, paths] of wrong) {
    await assert.rejects(open(config), (error: RowcallError) => {
      assert.equal(error.code, "AGENT_INVALID");
      assert.deepEqual(
        (error.details["problems"] as { path: string }[]).map(({ path }) => path),
        paths,
      );
      return true;
    });
  }
});
