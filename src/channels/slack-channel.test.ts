import assert from "node:assert/strict";
import { test } from "node:test";
import { aNotification, channelContract } from "../../test/contracts/channel-contract.ts";
import { json, startService } from "../../test/fakes/echo-service.ts";
import { createTestTiming } from "../../test/fakes/timing.ts";
import type { Notification } from "../core/channel.ts";
import { openSlackChannel } from "./slack-channel.ts";

interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly {
    readonly type: string;
    readonly text: { readonly type: string; readonly text: string };
  }[];
}

function readable(body: string): string {
  const { blocks } = JSON.parse(body) as SlackMessage;
  const texts = blocks.map(({ text }) => text.text);
  return texts.join("\n").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

channelContract("slack:", async () => {
  let refused = false;
  const service = await startService((_, response) => {
    response.writeHead(refused ? 404 : 200).end(refused ? "no_service" : "ok");
  });
  const secret = (name: string): string | undefined =>
    name === "SLACK_WEBHOOK_URL" ? `${service.origin}/services/T0/B0/hidden` : undefined;
  return {
    channel: openSlackChannel("slack:", { secret, timing: createTestTiming() }),
    received: async () => (refused ? [] : service.requests).map(({ body }) => readable(body)),
    refuse: async () => {
      refused = true;
    },
    close: () => service.close(),
  };
});

async function send(notification: Notification): Promise<SlackMessage> {
  const service = await startService((_, response) => json(response, {}));
  try {
    const options = { secret: () => service.origin, timing: createTestTiming() };
    await openSlackChannel("slack:TEAM", options).notify(notification);
    return JSON.parse(service.requests[0]?.body ?? "") as SlackMessage;
  } finally {
    await service.close();
  }
}

test("is a bold subject and the body as it is, with the subject again for where blocks are not shown", async () => {
  const body = "Rows: 3 in all\nFailed with: TIMEOUT 1\nOutput: <a> & ```b```";
  const { text, blocks } = await send({ ...aNotification(), subject: "Run <1> & more", body });
  assert.equal(text, "Run &lt;1&gt; &amp; more");
  assert.deepEqual(blocks, [
    { type: "section", text: { type: "mrkdwn", text: "*Run &lt;1&gt; &amp; more*", verbatim: true } },
    {
      type: "section",
      text: {
        type: "mrkdwn",
        text: "```Rows: 3 in all\nFailed with: TIMEOUT 1\nOutput: &lt;a&gt; &amp; '''b'''```",
        verbatim: true,
      },
    },
  ]);
});

test("no text is longer than Slack takes, and no escape is cut in two", async () => {
  for (let offset = 0; offset < 6; offset += 1) {
    const { blocks } = await send({ ...aNotification(), body: `${"x".repeat(offset)}${"&".repeat(5000)}` });
    const text = blocks[1]?.text.text ?? "";
    assert.ok(text.length <= 3000);
    assert.match(text, /^```x*(?:&amp;)+…```$/);
  }
});

test("says what Slack says, and never the webhook's URL", async () => {
  const service = await startService((request, response) => {
    response.writeHead(404).end(`no_service ${request.path}`);
  });
  try {
    const options = { secret: () => `${service.origin}/services/T0/B0/hidden`, timing: createTestTiming() };
    await assert.rejects(openSlackChannel("slack:TEAM", options).notify(aNotification()), {
      code: "CHANNEL_FAILED",
      message: "Slack's webhook in TEAM answered 404 Not Found: no_service ***",
      hint: /make a new one and set TEAM/,
    });
    assert.equal(service.requests.length, 1);
  } finally {
    await service.close();
  }
});
