import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "./json.ts";
import { createMask, noMask } from "./mask.ts";

const secret = "p\"ä/ss & <w>'ord+1";
const mask = createMask([secret]);

test("takes a secret out in every form in which it turns up elsewhere", () => {
  const basic = (before: string, after: string): string => Buffer.from(`${before}${secret}${after}`).toString("base64");
  const forms: Readonly<Record<string, string>> = {
    plain: secret,
    "JSON text": JSON.stringify({ secret }),
    "JSON text inside JSON text": JSON.stringify(JSON.stringify({ secret })),
    "a part of a URL": encodeURIComponent(secret),
    "a part of a URL in small letters": encodeURIComponent(secret).replace(/%\w\w/g, (byte) => byte.toLowerCase()),
    "a whole URL": encodeURI(secret),
    "a form": new URLSearchParams({ secret }).toString(),
    HTML: secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
    Base64: basic("", ""),
    "Basic authorization": basic("me:", ""),
    "Base64, a byte further on": basic("you:", "!"),
    "Base64, two bytes further on": basic("bob_1:", "!!"),
    "Base64 for URLs": Buffer.from(secret).toString("base64url"),
  };
  for (const [form, text] of Object.entries(forms)) {
    const told = mask.text(`before ${text} after`);
    assert.match(told, /^before .*\*\*\*.* after$/s, form);
    for (const piece of [secret, "ä/ss", "w>'ord", encodeURIComponent("ä/ss"), basic("", "").slice(4, 16)])
      assert.ok(!told.includes(piece), `${form}: ${told}`);
  }
});

test("takes the longer of two secrets out whole", () => {
  assert.equal(createMask(["abcd", "abcd-efgh"]).text("abcd-efgh abcd"), "*** ***");
});

test("takes out what a page or a message makes of line breaks and spaces", () => {
  const key = createMask(["-----BEGIN\nabcdef\n  ghijkl\n"]);
  assert.equal(key.text("key: -----BEGIN abcdef ghijkl."), "key: ***.");
  assert.equal(key.text("key: -----BEGINabcdef  ghijkl."), "key: ***.");
});

test("takes out the beginning of a secret that was cut", () => {
  const long = createMask(["correct-horse-battery"]);
  assert.equal(
    long.text('says "wrong: correct-hor…" and correct-horse-b… (9 more)'),
    'says "wrong: ***…" and ***… (9 more)',
  );
  assert.equal(long.text("a cat… and a correction…"), "a cat… and a correction…");
});

test("takes secrets out of texts, names and numbers of a value, and leaves all else alone", () => {
  const both = createMask(["hunter22", "12345678901234567890", "4711"]);
  assert.deepEqual(
    both.value({ "a hunter22": ["hunter22", { n: 4711, big: parseJson("12345678901234567890") }], near: 47110 }),
    {
      "a ***": ["***", { n: "***", big: "***" }],
      near: 47110,
    },
  );
  const clean = { a: [1, "two", null, true], b: { c: undefined } };
  assert.equal(both.value(clean), clean);
});

test("leaves alone what is too short to be a secret", () => {
  assert.equal(createMask(["abc", ""]).text("abcabc"), "abcabc");
  assert.equal(noMask.and(["abc"]).text("abcabc"), "abcabc");
});

test("is done with a large text in time that grows with it alone", () => {
  const many = createMask(Array.from({ length: 50 }, (_, i) => `${"a".repeat(40)}${i}`));
  assert.equal(many.text("a".repeat(200_000)).length, 200_000);
});
