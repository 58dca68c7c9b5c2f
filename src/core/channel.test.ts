import assert from "node:assert/strict";
import { test } from "node:test";
import { credentialIn, maskAddress } from "./channel.ts";

const cases: readonly (readonly [address: string, shown: string])[] = [
  ["console:", "console:"],
  ["arn:aws:sns:eu-west-1:123456789012:done", "arn:aws:sns:eu-west-1:123456789012:done"],
  ["https://example.com/hook/@team#secret=HOOK", "https://example.com/hook/@team#secret=HOOK"],
  ["https://user:p@ss@example.com/hook?token=abc&x=1#secret=HOOK", "https://***@example.com/hook?***#secret=HOOK"],
  ["http://token@example.com?key=a?b", "http://***@example.com?***"],
  ["https://user:half/word@exa mple.com/", "https://***@exa mple.com/"],
  ["htps://user:word@example.com/?key=1", "htps://***@example.com/?***"],
  ["https://hooks.slack.com/services/T/B/X", "https://hooks.slack.com/***"],
  ["https://ops:{{secret.PASS}}@example.com/?key={{secret.KEY}}", "https://***@example.com/?***"],
  ["slack:", "slack:"],
  ["slack:TEAM_HOOK", "slack:TEAM_HOOK"],
  ["slack:https://hooks.slack.com/services/T/B/X", "slack:***"],
];

for (const [address, shown] of cases) {
  test(`${shown} is how ${address} is shown`, () => assert.equal(maskAddress(address), shown));
}

const holding: readonly (readonly [address: string, what: RegExp | undefined])[] = [
  ["https://user:word@example.com/", /^https:\/\/\*\*\*@example\.com\/ holds a password/],
  ["https://token@example.com/", /a password/],
  ["https://:word@example.com/", /a password/],
  ["https://user:{{secret.WORD}}x@example.com/", /a password/],
  ["pigeon://user:word@home", /a password/],
  ["https://example.com/?room=a&access_token=abc", /a secret in its query, "access_token"/],
  ["https://example.com/?sig=abc#secret=HOOK", /a secret in its query, "sig"/],
  ["https://hooks.slack.com/services/T/B/X", /Slack's secret address/],
  ["slack:https://hooks.slack.com/services/T/B/X", /Slack's secret address/],
  ["https://user:{{secret.WORD}}@example.com/", undefined],
  ["https://{{ secret.WORD }}@example.com/?key={{secret.KEY}}", undefined],
  ["https://{{secret.USER}}:{{secret.WORD}}@example.com/?room=a&key=#secret=HOOK", undefined],
  ["https://example.com/hook/@team?monkey=1", undefined],
  ["arn:aws:sns:eu-west-1:123456789012:done", undefined],
  ["slack:OPS", undefined],
  ["console:", undefined],
];

for (const [address, what] of holding) {
  test(`${address} ${what === undefined ? "brings no secret along" : "brings a secret along"}`, () => {
    const credential = credentialIn(address);
    if (what === undefined) assert.equal(credential, undefined);
    else {
      assert.match(credential?.message ?? "", what);
      assert.doesNotMatch(credential?.message ?? "", /:word|abc|services/);
    }
  });
}
