import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { openMemoryStore } from "../stores/memory-store.ts";
import { sendProblem } from "./problem.ts";
import { sendObject } from "./send-object.ts";

const store = openMemoryStore({ clock: () => 0 });
const app = new Hono();
app.onError((thrown, c) => sendProblem(c, thrown));
app.get("/:type/:name", (c) =>
  sendObject(c, store, {
    name: c.req.param("name"),
    uri: `memory:${c.req.param("name")}`,
    contentType: c.req.param("type").replace("-", "/"),
  }),
);
await store.write("memory:a.webm", Buffer.from("0123456789"));

const ask = async (path: string, range?: string): Promise<readonly [number, string | null, string]> => {
  const response = await app.request(path, range === undefined ? {} : { headers: { range } });
  return [response.status, response.headers.get("content-range"), await response.text()];
};

test("a recording is answered whole, or in the range that is asked for", async () => {
  assert.deepEqual(await ask("/video-webm/a.webm"), [200, null, "0123456789"]);
  assert.deepEqual(await ask("/video-webm/a.webm", "bytes=2-4"), [206, "bytes 2-4/10", "234"]);
  assert.deepEqual(await ask("/video-webm/a.webm", "bytes=7-"), [206, "bytes 7-9/10", "789"]);
  assert.deepEqual(await ask("/video-webm/a.webm", "bytes=-3"), [206, "bytes 7-9/10", "789"]);
  assert.deepEqual(await ask("/video-webm/a.webm", "bytes=8-99"), [206, "bytes 8-9/10", "89"]);
  assert.deepEqual(await ask("/video-webm/a.webm", "bytes=10-"), [416, "bytes */10", ""]);
  for (const other of ["bytes=0-1,3-4", "lines=1-2", "bytes=-"])
    assert.deepEqual(await ask("/video-webm/a.webm", other), [200, null, "0123456789"], other);
});

test("only what a browser runs nothing of is shown; all else is a download without a type", async () => {
  for (const [type, shown] of [
    ["image-png", true],
    ["video-mp4", true],
    ["text-html", false],
    ["image-svg+xml", false],
    ["application-zip", false],
  ] as const) {
    const { headers } = await app.request(`/${type}/a.webm`);
    assert.equal(headers.get("content-type"), shown ? type.replace("-", "/") : "application/octet-stream");
    assert.match(headers.get("content-disposition") ?? "", shown ? /^inline/ : /^attachment/);
  }
});

test("a recording that is gone is an error that says so", async () => {
  const response = await app.request("/image-png/gone.png");
  assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [404, "STORE_NOT_FOUND"]);
});
