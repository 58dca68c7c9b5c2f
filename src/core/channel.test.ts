import assert from "node:assert/strict";
import { test } from "node:test";
import { maskAddress } from "./channel.ts";

const cases: readonly (readonly [address: string, shown: string])[] = [
  ["console:", "console:"],
  ["arn:aws:sns:eu-west-1:123456789012:done", "arn:aws:sns:eu-west-1:123456789012:done"],
  ["https://example.com/hook/@team#secret=HOOK", "https://example.com/hook/@team#secret=HOOK"],
  ["https://user:p@ss@example.com/hook?token=abc&x=1#secret=HOOK", "https://***@example.com/hook?***#secret=HOOK"],
  ["http://token@example.com?key=a?b", "http://***@example.com?***"],
  ["https://user:half/word@exa mple.com/", "https://***@exa mple.com/"],
  ["htps://user:word@example.com/?key=1", "htps://***@example.com/?***"],
  ["https://hooks.slack.com/services/T/B/X", "https://hooks.slack.com/***"],
  ["slack:", "slack:"],
  ["slack:TEAM_HOOK", "slack:TEAM_HOOK"],
  ["slack:https://hooks.slack.com/services/T/B/X", "slack:***"],
];

for (const [address, shown] of cases) {
  test(`${shown} is how ${address} is shown`, () => assert.equal(maskAddress(address), shown));
}
