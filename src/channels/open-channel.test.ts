import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestTiming } from "../../test/fakes/timing.ts";
import type { ChannelOptions } from "./channel-options.ts";
import { openChannel } from "./open-channel.ts";

const options: ChannelOptions = {
  write: () => {},
  aws: { endpoints: {} },
  secret: (name) => ({ SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/T/B/X", EMPTY: "" })[name],
  timing: createTestTiming(),
};

test("opens every kind of address, and sends nothing", async () => {
  const addresses = [
    "console:",
    "slack:",
    "slack:SLACK_WEBHOOK_URL",
    "https://example.com/hook",
    "HTTP://127.0.0.1:1/hook",
    "arn:aws:sns:eu-west-1:123456789012:done",
    "arn:aws-cn:sns:cn-north-1:123456789012:done.fifo",
    "arn:aws-us-gov:sns:us-gov-west-1:123456789012:done",
  ];
  for (const address of addresses)
    assert.equal(typeof (await openChannel(address, options)).notify, "function", address);
});

test("names the address that was probably meant", async () => {
  for (const [address, meant] of [
    ["consle:", "console:"],
    ["console", "console:"],
    ["slck:TEAM", "slack:NAME"],
    ["htps://example.com/", "https://HOST/PATH"],
    ["anr:aws:sns:eu-west-1:123456789012:done", "arn:aws:sns:REGION:ACCOUNT:TOPIC"],
  ] as const) {
    await assert.rejects(openChannel(address, options), {
      code: "CHANNEL_UNKNOWN",
      message: `Unknown channel "${address}"`,
      hint: `Did you mean "${meant}"?`,
    });
  }
  for (const address of ["#team", "", "constructor:"])
    await assert.rejects(openChannel(address, options), { code: "CHANNEL_UNKNOWN", hint: /console:/ }, address);
});

test("says what is wrong with an address of a known kind", async () => {
  for (const [address, message] of [
    ["arn:aws:sns:eu-west-1:...:done", /is not the ARN of an SNS topic/],
    ["arn:aws:sqs:eu-west-1:123456789012:done", /is not the ARN of an SNS topic/],
    ["arn:aws:sns::123456789012:done", /is not the ARN of an SNS topic/],
    ["arn:aws:sns:eu-west-1:123456789012:done:2bcfbf39", /is not the ARN of an SNS topic/],
    ["https://exa mple.com/", /^https:\/\/exa mple\.com\/ is no webhook's URL/],
    ["https:example.com", /is no webhook's URL/],
    ["https://example.com/#top", /ends in what is not known/],
    ["https://example.com/#secret=NO-NAME", /ends in what is not known/],
    ["https://hooks.slack.com/services/T0/B0/XYZ", /^https:\/\/hooks\.slack\.com\/\*\*\* is Slack's/],
    ["slack:https://hooks.slack.com/services/T0/B0/XYZ", /^slack:\*\*\* does not name an environment variable$/],
  ] as const) {
    await assert.rejects(openChannel(address, options), { code: "CHANNEL_UNKNOWN", message, hint: /./ }, address);
  }
});

test("a secret that is missing is told before anything is sent", async () => {
  for (const address of ["slack:TEAM", "slack:EMPTY", "https://example.com/#secret=HOOK", "http://h/#secret=EMPTY"])
    await assert.rejects(openChannel(address, options), { code: "SECRET_MISSING", hint: /export \w+=/ }, address);
  await assert.rejects(openChannel("slack:NOT_A_URL", { ...options, secret: () => "xoxb-token" }), {
    code: "CHANNEL_UNKNOWN",
    message: "What NOT_A_URL holds is no webhook's URL",
  });
});
