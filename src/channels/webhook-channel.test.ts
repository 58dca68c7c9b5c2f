import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { aNotification, channelContract } from "../../test/contracts/channel-contract.ts";
import { json, startService, type Answer, type TestService } from "../../test/fakes/echo-service.ts";
import { createTestTiming, type TestTiming } from "../../test/fakes/timing.ts";
import type { Channel } from "../core/channel.ts";
import { openWebhookChannel } from "./webhook-channel.ts";

const key = "a long random text";
const secret = (name: string): string | undefined => ({ ROWCALL_WEBHOOK_SECRET: key, OTHER: "another one" })[name];

channelContract("https://…", async () => {
  let refused = false;
  const service = await startService((_, response) => json(response, {}, refused ? 403 : 200));
  const timing = createTestTiming();
  return {
    channel: openWebhookChannel(`${service.origin}/hook`, { secret, timing }),
    received: async () =>
      (refused ? [] : service.requests).map(({ body }) => {
        const sent = JSON.parse(body) as { readonly subject: string; readonly body: string };
        return `${sent.subject}\n${sent.body}`;
      }),
    refuse: async () => {
      refused = true;
    },
    close: () => service.close(),
  };
});

interface Setup {
  readonly service: TestService;
  readonly timing: TestTiming;
  open(path: string): Channel;
}

async function withService(answer: Answer, work: (setup: Setup) => Promise<void>): Promise<void> {
  const service = await startService(answer);
  const timing = createTestTiming();
  const open = (path: string): Channel => openWebhookChannel(service.origin + path, { secret, timing });
  try {
    await work({ service, timing, open });
  } finally {
    await service.close();
  }
}

const statuses = (...list: readonly number[]): Answer => {
  const left = [...list];
  return (_, response) => json(response, { status: left[0] }, left.shift() ?? 200);
};

test("signs time and body so that the receiver can check them", () =>
  withService(statuses(200), async ({ service, open }) => {
    await open("/hook?channel=ops").notify(aNotification());
    const [request] = service.requests;
    assert.ok(request !== undefined);
    const { body, headers, method, path } = request;
    assert.deepEqual([method, path, headers["content-type"]], ["POST", "/hook?channel=ops", "application/json"]);
    assert.equal(headers["rowcall-delivery"], "delivery-1");
    assert.equal(headers["rowcall-timestamp"], "1760765400");
    const expected = createHmac("sha256", "a long random text").update(`1760765400.${body}`).digest("hex");
    assert.equal(headers["rowcall-signature"], `sha256=${expected}`);
  }));

test("signs with the secret that the address names, and says nothing of it to the receiver", () =>
  withService(statuses(200), async ({ service, open }) => {
    const channel = open("/hook#secret=OTHER");
    assert.equal(channel.warning, undefined);
    await channel.notify(aNotification());
    const [request] = service.requests;
    const expected = createHmac("sha256", "another one").update(`1760765400.${request?.body}`).digest("hex");
    assert.equal(request?.headers["rowcall-signature"], `sha256=${expected}`);
    assert.equal(request?.path, "/hook");
  }));

test("without a secret it is sent unsigned, and the user is told", () =>
  withService(statuses(200), async ({ service, timing }) => {
    const channel = openWebhookChannel(service.origin, { secret: () => "", timing });
    assert.match(channel.warning?.message ?? "", /without a signature: ROWCALL_WEBHOOK_SECRET is not set/);
    await channel.notify(aNotification());
    assert.equal(service.requests[0]?.headers["rowcall-signature"], undefined);
    assert.equal(service.requests[0]?.headers["rowcall-delivery"], "delivery-1");
  }));

test("sends user and password of the URL as a header", () =>
  withService(statuses(200), async ({ service, timing }) => {
    const address = service.origin.replace("://", "://ops:p%40ss@");
    await openWebhookChannel(address, { secret, timing }).notify(aNotification());
    assert.equal(service.requests[0]?.headers.authorization, `Basic ${Buffer.from("ops:p@ss").toString("base64")}`);
  }));

test("puts secrets of the environment into the address, and tells who it lacks", () =>
  withService(statuses(200), async ({ service, timing }) => {
    const address = `${service.origin.replace("://", "://ops:{{secret.WORD}}@")}/hook/{{ secret.PATH_KEY }}?k={{secret.WORD}}`;
    const values: Readonly<Record<string, string>> = { WORD: "p@ss/+", PATH_KEY: "a b" };
    await openWebhookChannel(address, { secret: (name) => values[name], timing }).notify(aNotification());
    assert.equal(service.requests[0]?.path, "/hook/a%20b?k=p%40ss%2F%2B");
    assert.equal(service.requests[0]?.headers.authorization, `Basic ${Buffer.from("ops:p@ss/+").toString("base64")}`);
    assert.throws(() => openWebhookChannel(address, { secret: () => undefined, timing }), {
      code: "SECRET_MISSING",
      message: /needs WORD, not set in the environment/,
    });
  }));

test("tries again what may pass, with growing waits and the same id", () =>
  withService(statuses(503, 408, 500, 429, 200), async ({ service, timing, open }) => {
    await open("/").notify(aNotification());
    assert.deepEqual(timing.waits, [500, 1000, 2000, 4000]);
    assert.deepEqual(
      new Set(service.requests.map(({ headers }) => headers["rowcall-delivery"])),
      new Set(["delivery-1"]),
    );
    const [first, ...later] = service.requests;
    assert.equal(later.length, 4);
    assert.ok(later.every(({ body }) => body === first?.body));
    assert.equal(later.at(-1)?.headers["rowcall-timestamp"], String(1760765400 + 7), "each try is signed anew");
  }));

test("gives up after five tries", () =>
  withService(statuses(500, 500, 500, 500, 503, 200), async ({ service, open }) => {
    await assert.rejects(open("/").notify(aNotification()), {
      code: "CHANNEL_FAILED",
      message: /answered 503 .*, also at the last of 5 tries$/,
    });
    assert.equal(service.requests.length, 5);
  }));

for (const status of [301, 307, 400, 401, 404, 410, 422]) {
  test(`does not try again after ${status}`, () =>
    withService(statuses(status, 200), async ({ service, open }) => {
      await assert.rejects(open("/").notify(aNotification()), {
        code: "CHANNEL_FAILED",
        message: new RegExp(`^The webhook http://127\\.0\\.0\\.1:\\d+/ answered ${status} .*"status":${status}`),
      });
      assert.equal(service.requests.length, 1);
    }));
}

test("does not follow a redirect, and says where it leads", () =>
  withService(
    (_, response) => json(response, {}, 302, { location: "https://elsewhere.example/" }),
    async ({ service, open }) => {
      await assert.rejects(open("/").notify(aNotification()), {
        hint: "Redirects are not followed: use the address where it leads, https://elsewhere.example/.",
      });
      assert.equal(service.requests.length, 1);
    },
  ));

for (const [value, waited] of [
  ["3", 3000],
  ["0", 500],
  ["86400", 30_000],
  ["Sat, 18 Oct 2025 05:30:07 GMT", 7000],
  ["Sat, 18 Oct 2025 05:29:00 GMT", 500],
  ["soon", 500],
] as const) {
  test(`waits ${waited} ms when asked for Retry-After: ${value}`, () => {
    let calls = 0;
    return withService(
      (_, response) => json(response, {}, (calls += 1) === 1 ? 429 : 200, { "retry-after": value }),
      async ({ timing, open }) => {
        await open("/").notify(aNotification());
        assert.deepEqual(timing.waits, [waited]);
      },
    );
  });
}

test("a clock that is set back or forward a day changes nothing of the tries", async () => {
  for (const day of [-86_400_000, 86_400_000]) {
    await withService(statuses(503, 503, 200), async ({ service, timing }) => {
      const clock = (): number => timing.clock() + (service.requests.length % 2) * day;
      const channel = openWebhookChannel(service.origin, { secret, timing: { ...timing, clock } });
      await channel.notify(aNotification());
      assert.equal(service.requests.length, 3);
    });
  }
});

test("gives up within a minute, however long it is asked to wait", () =>
  withService(
    (_, response) => json(response, {}, 503, { "retry-after": "25" }),
    async ({ service, timing, open }) => {
      await assert.rejects(open("/").notify(aNotification()), { code: "CHANNEL_FAILED" });
      assert.deepEqual(timing.waits, [25_000, 25_000]);
      assert.equal(service.requests.length, 3);
    },
  ));

test("tries again when the receiver gives no answer in time", () => {
  let calls = 0;
  return withService(
    (_, response) => {
      calls += 1;
      if (calls > 1) json(response, {});
    },
    async ({ service, timing, open }) => {
      const asked = once(service.events, "request");
      const sent = open("/").notify(aNotification());
      await asked;
      timing.expire();
      await sent;
      assert.deepEqual([service.requests.length, timing.waits.length], [2, 1]);
    },
  );
});

test("tries again when nobody listens or the connection breaks, and says so in the end", async () => {
  const timing = createTestTiming();
  const service = await startService(() => {});
  const address = `${service.origin}/hook`;
  await service.close();
  await assert.rejects(openWebhookChannel(address, { secret, timing }).notify(aNotification()), {
    code: "CHANNEL_FAILED",
    message: `The webhook ${address} could not be reached: the connection was refused (ECONNREFUSED), also at the last of 5 tries`,
    hint: /reached from here/,
  });
  await withService(
    (_, response) => void response.destroy(),
    async ({ service: broken, open }) => {
      await assert.rejects(open("/").notify(aNotification()), { message: /the connection was cut/ });
      assert.equal(broken.requests.length, 5);
    },
  );
});

test("no message holds a secret, whatever the receiver repeats", () =>
  withService(
    (request, response) => json(response, { request, says: "p@ss token-value" }, 400),
    async ({ service, timing }) => {
      const address = `${service.origin.replace("://", "://ops:p%40ss@")}/hook?token=token-value`;
      await assert.rejects(openWebhookChannel(address, { secret, timing }).notify(aNotification()), (error: Error) => {
        assert.match(error.message, /\*\*\*@127\.0\.0\.1:\d+\/hook\?\*\*\* answered 400/);
        assert.doesNotMatch(error.message, /token-value|p@ss|p%40ss|b3BzOnBAc3M=/);
        return true;
      });
    },
  ));

test("an endless answer is not read to its end", () =>
  withService(
    (_, response) => {
      response.writeHead(400);
      const more = (): void => {
        while (response.write("x".repeat(1024)));
      };
      response.on("drain", more);
      more();
    },
    async ({ service, open }) => {
      const closed = once(service.events, "closed");
      await assert.rejects(open("/").notify(aNotification()), { message: /answered 400 Bad Request: x{200}$/ });
      await closed;
    },
  ));
