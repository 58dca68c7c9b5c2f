import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { openChannel } from "../../src/channels/open-channel.ts";
import { parseBatch } from "../../src/core/batch-file.ts";
import type { Run } from "../../src/core/run.ts";
import { composeNotification } from "../../src/runs/compose-notification.ts";
import { startService, type ReceivedRequest, type TestService } from "../fakes/echo-service.ts";
import { createTestTiming } from "../fakes/timing.ts";

const page = await readFile(new URL("../../docs/notifications.md", import.meta.url), "utf8");
const secret = "a long random text";

const run: Run = {
  id: "20251018-053000-ab12",
  name: "nightly",
  status: "succeeded",
  agent: "broadband-availability-bt-wholesale@1.0.0",
  inputUri: "s3://tables/addresses.csv",
  outputUri: "s3://results/result-2025-10-18-05-50-05.csv",
  recordingsUri: "s3://recordings/20251018-053000-ab12",
  counts: { total: 1000, succeeded: 990, failed: 10, inFlight: 0, pending: 0 },
  createdAt: Date.UTC(2025, 9, 18, 5, 30),
  endedAt: Date.UTC(2025, 9, 18, 5, 50, 5),
};
const failures = [
  { code: "TIMEOUT", count: 7 },
  { code: "CHOICE_NONE", count: 3 },
] as const;

/** A block of code of the page: the one below a line, or the first with a text. */
function blockAfter(line: string): string {
  const [, code = assert.fail(`the page has no ${line}`)] =
    page.slice(page.indexOf(line)).match(/^```\w*\n(.*?)^```/ms) ?? [];
  return code;
}

/** First cells of the table whose head begins with a word. */
function firstColumn(head: string): string[] {
  const [table = ""] = page.slice(page.indexOf(`| ${head} |`)).split("\n\n");
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = ""]) => cell);
}

describe("docs/notifications.md", () => {
  let service: TestService;
  before(async () => {
    service = await startService((_, response) => {
      response
        .writeHead(200)
        .end("<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>");
    });
  });
  after(() => service.close());

  async function send(address: string, told: Run = run): Promise<ReceivedRequest> {
    const channel = await openChannel(address, {
      write: () => {},
      aws: { credentials: { accessKeyId: "test", secretAccessKey: "test" }, endpoints: { SNS: service.origin } },
      secret: () => secret,
      timing: createTestTiming({ startAt: Date.now() }),
    });
    await channel.notify(composeNotification("4b1d3f0e-6c5a-4b58-9a3e-0d4f3d1c2b7a", "success", told, failures));
    return service.requests.at(-1) ?? assert.fail("nothing was sent");
  }

  it("shows a webhook's body as it is sent", async () => {
    const reason = "why it stopped, when it did not simply finish";
    const sent = JSON.parse((await send(service.origin, { ...run, reason })).body) as { readonly body: string };
    const shown = JSON.parse(blockAfter("<!-- the webhook's body -->")) as { readonly body: string };
    const start = shown.body.slice(0, -"…".length);
    assert.ok(start.length > 0 && sent.body.startsWith(start));
    assert.deepEqual({ ...shown, body: sent.body }, sent);
  });

  it("lists the headers of a webhook", async () => {
    const { headers } = await send(service.origin);
    const own = Object.keys(headers).filter((name) => name.startsWith("rowcall-"));
    assert.deepEqual(firstColumn("header").toSorted(), own.toSorted());
  });

  it("has a check of the signature that takes what is sent, and nothing else", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rowcall-docs-"));
    try {
      await writeFile(join(folder, "check.mjs"), blockAfter("<!-- checks a signature -->"));
      const { isFromRowcall } = (await import(pathToFileURL(join(folder, "check.mjs")).href)) as {
        readonly isFromRowcall: (headers: ReceivedRequest["headers"], body: string, secret: string) => boolean;
      };
      const { headers, body } = await send(service.origin);
      const old = String(Number(headers["rowcall-timestamp"]) - 301);
      const { "rowcall-signature": _signature, ...unsigned } = headers;
      assert.equal(isFromRowcall(headers, body, secret), true);
      assert.equal(isFromRowcall(headers, `${body} `, secret), false);
      assert.equal(isFromRowcall(headers, body, `${secret} `), false);
      assert.equal(isFromRowcall({ ...headers, "rowcall-timestamp": old }, body, secret), false);
      assert.equal(isFromRowcall(unsigned, body, secret), false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("has batch files with addresses that are known", async () => {
    const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)];
    assert.ok(blocks.length >= 4);
    for (const [, yaml = ""] of blocks) {
      const { notifications } = parseBatch({ agent: "lookup", ...(parse(yaml) as object) }, "example");
      assert.ok(notifications.channels.length > 0);
      const env = { secret: () => "https://hooks.slack.com/services/T/B/X", timing: createTestTiming() };
      for (const address of notifications.channels)
        await openChannel(address, { write: () => {}, aws: { endpoints: {} }, ...env });
    }
  });

  it("shows subject and body as they are", async () => {
    const shown = blockAfter("## What it says");
    const { body } = await send(service.origin);
    const sent = JSON.parse(body) as { readonly subject: string; readonly body: string };
    assert.equal(shown, `${sent.subject}\n\n${sent.body}\n`);
  });

  it("lists the attributes of a message of SNS, and shows the policy for it", async () => {
    const { body } = await send("arn:aws:sns:eu-west-1:123456789012:batches");
    const names = [...new URLSearchParams(body)].flatMap(([key, value]) => (key.endsWith(".Name") ? [value] : []));
    assert.deepEqual(firstColumn("attribute").toSorted(), names.toSorted());
    const [action] = new URLSearchParams(body).getAll("Action");
    const policy = JSON.parse(blockAfter("They need this and no more:")) as {
      readonly Statement: readonly { readonly Action: string }[];
    };
    assert.deepEqual(
      policy.Statement.map((statement) => statement.Action),
      [`sns:${action}`],
    );
  });
});
