import assert from "node:assert/strict";
import { test } from "node:test";
import { aNotification, channelContract } from "../../test/contracts/channel-contract.ts";
import { openConsoleChannel } from "./console-channel.ts";

channelContract("console:", async () => {
  const texts: string[] = [];
  let refused = false;
  const write = (text: string): void => {
    if (refused) throw new Error("write EPIPE");
    texts.push(text);
  };
  return {
    channel: openConsoleChannel(write),
    received: async () => texts,
    refuse: async () => {
      refused = true;
    },
    close: async () => {},
  };
});

test("the console shows the subject and, indented, the body", async () => {
  const texts: string[] = [];
  const channel = openConsoleChannel((text) => void texts.push(text));
  await channel.notify({ ...aNotification(), subject: "Run 1 succeeded", body: "Rows: 3\nOutput: a.csv" });
  assert.deepEqual(texts, ["Run 1 succeeded\n  Rows: 3\n  Output: a.csv\n"]);
});
