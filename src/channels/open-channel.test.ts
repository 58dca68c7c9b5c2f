import assert from "node:assert/strict";
import { test } from "node:test";
import { aNotification, channelContract } from "../../test/contracts/channel-contract.ts";
import { openChannel } from "./open-channel.ts";

channelContract("console:", async () => {
  const texts: string[] = [];
  let refused = false;
  const write = (text: string): void => {
    if (refused) throw new Error("write EPIPE");
    texts.push(text);
  };
  return {
    channel: await openChannel("console:", { write }),
    received: () => texts,
    refuse: () => {
      refused = true;
    },
    close: async () => {},
  };
});

const options = { write: () => {} };

test("the console shows the subject and, indented, the body", async () => {
  const texts: string[] = [];
  const channel = await openChannel("console:", { write: (text) => void texts.push(text) });
  await channel.notify({ ...aNotification(), subject: "Run 1 succeeded", body: "Rows: 3\nOutput: a.csv" });
  assert.deepEqual(texts, ["Run 1 succeeded\n  Rows: 3\n  Output: a.csv\n"]);
});

test("names an address it does not know", async () => {
  await assert.rejects(openChannel("consle:", options), {
    code: "CHANNEL_UNKNOWN",
    message: 'Unknown channel "consle:"',
    hint: 'Did you mean "console:"?',
  });
  for (const address of ["console", "#team", "", "constructor:"]) {
    await assert.rejects(openChannel(address, options), { code: "CHANNEL_UNKNOWN", hint: /console:/ }, address);
  }
});

test("says that SNS is not available", async () => {
  for (const arn of ["arn:aws:sns:eu-west-1:123456789012:done", "arn:aws-cn:sns:cn-north-1:123456789012:done"]) {
    await assert.rejects(openChannel(arn, options), {
      code: "CHANNEL_UNKNOWN",
      message: `Unknown channel "${arn}"`,
      hint: /^SNS is not available/,
    });
  }
});
