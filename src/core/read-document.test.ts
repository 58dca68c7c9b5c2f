import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Batch } from "./batch.ts";
import { RowcallError } from "./errors.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { createTestServices } from "../../test/fakes/services.ts";
import { loadBatch } from "../runs/load-batch.ts";

async function load(text: string, name: string): Promise<unknown> {
  const store = openMemoryStore({ clock: () => 0 });
  await store.write(name, Buffer.from(text));
  const services = { ...createTestServices({ store, invoke: async () => ({}) }), baseDirectory: "/desk" };
  return loadBatch(services, name);
}

describe("batch files that are not as they should be", () => {
  it("are told by the key that is wrong", async () => {
    const deep = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);
    for (const [name, text, message] of [
      [
        "b.yaml",
        "agent: echo\ninput: *.csv\n",
        /input: \*\.csv refers to an anchor that is not there \(line 2, column 8\)/,
      ],
      [
        "b.json",
        '{"agent": "echo", "input_mapping": {"column_mappings": {"__proto__": "a"}}}',
        /key "__proto__" would be lost \(line 1, column 57\)/,
      ],
      ["b.yaml", "agent: echo\nagent_config:\n  __proto__: 1\n", /key "__proto__" would be lost \(line 3, column 3\)/],
      ["b.yaml", "agent: echo\nagent: other\n", /key "agent" is given twice \(line 2, column 1\)/],
      [
        "b.json",
        '{"agent": "echo",\n "input": "a.csv", "agent": "other"}',
        /key "agent" is given twice \(line 2, column 20\)/,
      ],
      [
        "b.json",
        '{"agent": "echo", "execution_config": {"timeout_seconds": 1, "timeout_seconds": 2}}',
        /key "timeout_seconds" is given twice/,
      ],
      [
        "b.json",
        `{"agent": "echo", "agent_config": {"x": ${deep("[", "]", 20_000)}}}`,
        /agent_config: nested deeper than 200 levels \(line 1, column 239\)/,
      ],
      [
        "b.yaml",
        `agent: echo\nagent_config: {x: ${deep("[", "]", 20_000)}}`,
        /agent_config: nested deeper than 200 levels \(line 2, column 217\)/,
      ],
      ["b.yaml", `agent: echo\nagent_config:\n${"- ".repeat(20_000)}x`, /agent_config: nested deeper than 200 levels/],
      ["b.yaml", `agent: echo\nagent_config: ${"{a: ".repeat(20_000)}`, /agent_config: nested deeper than 200 levels/],
      ["b.json", deep("[", "]", 20_000), /nested deeper than 200 levels/],
      [
        "b.yaml",
        `a: &a ${deep("[", "]", 150)}\nb: ${"[".repeat(150)}*a${"]".repeat(150)}\nagent: echo\n`,
        /b: nested deeper than 200 levels/,
      ],
      [
        "b.yaml",
        "agent: echo\nagent_config: {x: &x {y: [1, *x]}}\n",
        /agent_config\.x\.y\.1: \*x stands in what it refers to/,
      ],
      [
        "b.json",
        '{"agent": "echo", "recording": {"level": {"toString": "x"}}}',
        /recording\.level: an object is not a choice/,
      ],
      [
        "b.json",
        '{"agent": "echo", "execution_config": {"retry_strategy": {"retry_on": [{"toString": "x"}]}}}',
        /retry_on\.0/,
      ],
      [
        "b.yaml",
        `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
          .split("")
          .map((key, i) => `${key}: &${key} [${Array(9).fill(`*${"abcdefgh"[i]}`).join()}]`)
          .join("\n")}\nagent: echo\n`,
        /not valid: d: its aliases repeat too much \(line 4, column 1\)/,
      ],
    ] as const)
      await assert.rejects(load(text, name), (error) => {
        assert.ok(error instanceof RowcallError, String(error));
        assert.equal(error.code, "BATCH_INVALID");
        assert.match(error.message, message);
        return true;
      });
  });

  it("are told by the number that would not be what is written", async () => {
    for (const [name, text, message] of [
      [
        "b.json",
        '{"agent": "echo",\n "agent_config": {"ids": [1, {"id": 12345678901234567890}]}}',
        /agent_config\.ids\.1\.id: 12345678901234567890 would be read as the number 12345678901234567000 \(line 2, column 37\)/,
      ],
      [
        "b.json",
        '{"agent": "echo", "input_mapping": {"static_values": {"id": -9007199254740993}}}',
        /input_mapping\.static_values\.id: -9007199254740993 would be read as the number -9007199254740992/,
      ],
      [
        "b.json",
        '{"agent": "echo", "agent_config": {"x": 1e400}}',
        /agent_config\.x: 1e400 would be read as the number Inf/,
      ],
      [
        "b.yaml",
        "agent: echo\nagent_config:\n  ids:\n  - 1\n  - id: 12345678901234567890\n",
        /agent_config\.ids\.1\.id: 12345678901234567890 would be read as the number 12345678901234567000 \(line 5, column 9\)/,
      ],
      ["b.yaml", "agent: echo\ninput_mapping: {static_values: {tel: 0441234}}", /static_values\.tel: 0441234 would be/],
      [
        "b.yaml",
        "agent: echo\ninput_mapping: {static_values: {tel: +441234}}",
        /static_values\.tel: \+441234 would be/,
      ],
      ["b.yaml", "agent: echo\nagent_config: {x: .inf, y: 1}", /agent_config\.x: \.inf would be read as/],
      ["b.yaml", "agent: echo\nagent_config: {x: .nan}", /agent_config\.x: \.nan would be read as the number NaN/],
    ] as const)
      await assert.rejects(load(text, name), (error) => {
        assert.ok(error instanceof RowcallError, String(error));
        assert.equal(error.code, "BATCH_INVALID");
        assert.match(error.message, message);
        assert.match(error.hint ?? "", /^Put it into quotes/);
        return true;
      });
  });

  it("keep numbers that are what is written, text that looks like one, and keys", async () => {
    const values =
      '{"a": 9007199254740991, "b": "12345678901234567890", "c": 1.10, "d": 1e21, "e": 0, "f": -0.5, "g": 100000000000000000000}';
    for (const name of ["b.json", "b.yaml"]) {
      const batch = await load(`{"agent": "echo", "agent_config": ${values}}`, name);
      assert.deepEqual((batch as Batch).agentConfig, JSON.parse(values));
    }
    const keyed = await load(
      'agent: echo\nagent_config: {007: "0441234", 12345678901234567890: x, true: 0x10}',
      "b.yaml",
    );
    assert.deepEqual((keyed as Batch).agentConfig, { "007": "0441234", "12345678901234567890": "x", true: 16 });
  });

  it("stay JSON: what JSON allows is no mistake", async () => {
    await load(
      '\uFEFF{\n\t"agent":\t"echo",\r\n\t"agent_config": {"a\\/b": "\\ud83d\\ude00 # no comment", "": [], "1": 1e5}}',
      "b.json",
    );
    await assert.rejects(load("{agent: echo}", "b.json"), { code: "BATCH_INVALID" });
  });

  it("never end in anything but BATCH_INVALID", async () => {
    const word = fc.constantFrom("toString", "__proto__", "constructor", "*", "none", "echo", "");
    const odd: fc.Arbitrary<unknown> = fc.oneof(
      word,
      fc.json().map((text) => JSON.parse(text) as unknown),
      fc.dictionary(word, fc.jsonValue()),
    );
    const key = fc.constantFrom(
      "agent",
      "input",
      "output",
      "agent_config",
      "input_mapping",
      "output_mapping",
      "execution_config",
      "notification_config",
      "recording",
    );
    const inner = fc.oneof(
      odd,
      fc.dictionary(
        fc.constantFrom(
          "uri",
          "delimiter",
          "level",
          "retry_strategy",
          "rate_limit",
          "column_mappings",
          "transformations",
          "static_values",
          "rename",
          "channels",
          "timeout_seconds",
        ),
        odd,
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(key, inner),
        fc.constantFrom("b.json", "b.yaml"),
        fc.boolean(),
        fc.nat(),
        async (value, name, cut, at) => {
          const text = JSON.stringify({ agent: "echo", ...value });
          const given = cut ? text.slice(0, at % text.length) + text.slice((at % text.length) + 1) : text;
          await load(given, name).catch((error: unknown) => {
            assert.ok(
              error instanceof RowcallError && error.code === "BATCH_INVALID",
              `${given}: ${(error as Error).stack ?? ""}`,
            );
          });
        },
      ),
      { numRuns: 100, seed: 16 },
    );
  });
});
