import assert from "node:assert/strict";
import { test } from "node:test";
import { listen } from "./listen.ts";

test("a server behind a proxy answers the proxy alone", async () => {
  for (const [from, answers] of [
    [["192.0.2.7"], false],
    [["192.0.2.7", "127.0.0.1"], true],
    [["127.0.0.0/8"], true],
    [["::1", "10.0.0.0/8"], false],
  ] as const) {
    const { url, close } = await listen(() => new Response("hello"), { host: "127.0.0.1", port: 0, from });
    try {
      const answer = fetch(url, { headers: { connection: "close" } });
      if (answers) assert.equal(await (await answer).text(), "hello");
      else await assert.rejects(answer);
    } finally {
      await close();
    }
  }
});
