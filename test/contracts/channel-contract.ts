import assert from "node:assert/strict";
import type { Channel, Notification } from "../../src/core/channel.ts";
import { contractTests } from "./contract-tests.ts";

/** A channel to hold to its contract, with the other side's view of it. */
export interface ChannelUnderTest {
  readonly channel: Channel;
  /** What has arrived, one text a notification, as people read it. */
  received(): Promise<readonly string[]>;
  /** From now on nothing is accepted. */
  refuse(): Promise<void>;
  close(): Promise<void>;
}

/** A notification about a run of three rows, numbered. */
export function aNotification(number = 1): Notification {
  const counts = { total: 3, succeeded: 2, failed: 1, inFlight: 0, pending: 0 };
  return {
    id: `delivery-${number}`,
    kind: "success",
    run: {
      id: `run-${number}`,
      status: "succeeded",
      agent: "lookup@1.0.0",
      inputUri: "rows.csv",
      counts,
      createdAt: 0,
    },
    failures: [{ code: "TIMEOUT", count: 1 }],
    subject: `Rowcall run run-${number} succeeded: 2 of 3 rows "quoted" 🏠`,
    body: `Run: run-${number}\nOutput: out/a & b <c>.csv`,
  };
}

/** Holds a channel to the contract of `Channel`. */
export function channelContract(name: string, open: () => Promise<ChannelUnderTest>): void {
  const channelTest = contractTests(name, open);

  channelTest("delivers subject and body, every character as it is", async ({ channel, received }) => {
    await channel.notify(aNotification());
    const [text = "", ...more] = await received();
    assert.deepEqual(more, []);
    const { subject, body } = aNotification();
    for (const line of [subject, ...body.split("\n")]) assert.ok(text.includes(line), `${line} is not in ${text}`);
  });

  channelTest("keeps notifications apart that are sent at once", async ({ channel, received }) => {
    await Promise.all([1, 2, 3, 4].map((number) => channel.notify(aNotification(number))));
    const texts = await received();
    assert.equal(texts.length, 4);
    for (const number of [1, 2, 3, 4]) {
      const own = texts.filter((text) => text.includes(`run-${number}`));
      assert.equal(own.length, 1);
      assert.ok(own[0]?.includes(aNotification(number).subject));
    }
  });

  channelTest("a long notification arrives too, cut if need be", async ({ channel, received }) => {
    const body = `Run: run-1\nStatus: failed, ${"<no & luck> 🏠 ".repeat(30_000)}`;
    await channel.notify({ ...aNotification(), subject: `Rowcall ${"é".repeat(5000)}`, body });
    const [text = ""] = await received();
    assert.ok(text.includes("Status: failed, <no & luck> 🏠"));
    assert.doesNotMatch(text, /\uFFFD/);
  });

  channelTest("a refusal is CHANNEL_FAILED with a hint", async ({ channel, received, refuse }) => {
    await refuse();
    await assert.rejects(channel.notify(aNotification()), { code: "CHANNEL_FAILED", hint: /./ });
    assert.deepEqual(await received(), []);
  });
}
