import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compilePattern } from "./pattern.ts";

describe("patterns that people write", () => {
  it("mean what they mean in JavaScript", () => {
    const texts = [
      "",
      "Address 1 High St on Exchange LEEDS is served by Cabinet 9",
      "a\u00a0b\u2028c\rd\ne\u000b",
      "sw1a 1aa",
      "K\u212a ſs ß İ",
      "😀 x-y_z ]^\\/",
      "12-Jan-2024",
      "(1) [2] {3} a{1}",
    ];
    const sources = [
      "^Address (.+) on Exchange ",
      String.raw` on Exchange (.+?)(?: is served by Cabinet \S+)?$`,
      String.raw`^(Available|\d{1,2}-[A-Z][a-z]{2}-\d{4})$`,
      "(?i:SW1A|captcha)",
      String.raw`a\sb.`,
      String.raw`\S+\s`,
      "[^a]+",
      "[]",
      "[^]",
      String.raw`[\s\d]+`,
      String.raw`[\S]+`,
      String.raw`[^\S]+`,
      String.raw`\u{1f600}.`,
      String.raw`\u0078\x2dy`,
      String.raw`(?<name>[a-z]+)-(y)`,
      String.raw`[\]\^\\\/\-]+`,
      String.raw`\p{Script=Latin}+`,
      String.raw`\P{L}+`,
      String.raw`\p{Lu}\p{Ll}*`,
      String.raw`\bx\b`,
      String.raw`\Bx?`,
      "(a)|(b)",
      "x*?$",
      "(?:a{2,3}){0,2}",
      String.raw`\cM`,
      String.raw`\0|\v`,
      "",
    ];
    for (const source of sources) {
      for (const text of texts) {
        const native = new RegExp(source, "u").exec(text);
        const where = `${source} on ${JSON.stringify(text)}`;
        assert.deepEqual(compilePattern(source).find(text), native === null ? undefined : [...native], where);
        assert.equal(compilePattern(source).test(text), native !== null, where);
      }
    }
  });

  it("find what JavaScript finds, whatever the pattern", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      ".",
      String.raw`\s`,
      String.raw`\d`,
      "[ab]",
      "[^a]",
      "^",
      "$",
      String.raw`\b`,
      "é",
      "-",
    );
    const times = fc.constantFrom("", "*", "+", "?", "*?", "+?", "{1,2}");
    const part = fc.tuple(atom, times).map(([one, many]) => (/^(?:\^|\$|\\b)$/.test(one) ? one : one + many));
    const row = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
    // JavaScript takes a group that may be there and holds nothing for absent, RE2 for empty.
    const source = fc.array(
      fc.tuple(row, row).map(([a, b]) => `${a}(a${b})?`),
      { minLength: 1, maxLength: 2 },
    );
    const text = fc.array(fc.constantFrom("a", "b", " ", "1", "é", "-", "\n", "\u00a0"), { maxLength: 10 });
    fc.assert(
      fc.property(source, text, (sources, letters) => {
        const pattern = sources.join("|");
        const native = new RegExp(pattern, "u").exec(letters.join(""));
        assert.deepEqual(compilePattern(pattern).find(letters.join("")), native === null ? undefined : [...native]);
      }),
    );
  });

  it("end on texts that a backtracking engine takes years for", () => {
    const text = `${"a".repeat(100_000)}!`;
    for (const source of ["^(a+)+$", "^(a|aa)+$", "^(a*)*b$", "(a?){100}a{100}!!", "(.*)(.*)(.*)b"])
      assert.equal(compilePattern(source).test(text), false, source);
    assert.deepEqual(
      compilePattern("^(a+)+!$")
        .find(text)
        ?.map((group) => group?.length),
      [100_001, 100_000],
    );
  });

  it("say which part is not supported", () => {
    for (const [source, message] of [
      [
        String.raw`^(?=.*\d).+$`,
        String.raw`"^(?=.*\\d).+$" has a lookahead, "(?=.*\\d)", which is not supported: it may take endless time`,
      ],
      ["(?<!x)y", '"(?<!x)y" has a lookbehind, "(?<!x)", which is not supported: it may take endless time'],
      [
        String.raw`(a)\1`,
        String.raw`"(a)\\1" has a backreference, "\\1", which is not supported: it may take endless time`,
      ],
      ["a{1001}", '"a{1001}" repeats "{1001}", more than 1000 times, which is not supported'],
      ["(?s:.)", '"(?s:.)" has the modifier "s", of which only i is supported'],
      ["(a", '"(a" is not a regular expression: Unterminated group'],
      ["(?:a{100}){100}", '"(?:a{100}){100}" is not a regular expression: invalid repeat count: `{100,100}`'],
    ] as const)
      assert.throws(() => compilePattern(source), { name: "SyntaxError", message }, source);
  });
});
