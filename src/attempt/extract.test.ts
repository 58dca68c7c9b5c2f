import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import type { AgentDefinition } from "../core/agent.ts";
import { parseJson, type JsonObject, type JsonValue } from "../core/json.ts";
import { createExtractor } from "./extract.ts";

const agent = (schema?: JsonObject): Pick<AgentDefinition, "agent_name" | "structured_output"> => ({
  agent_name: "a",
  structured_output: { enabled: true, output_fields: [], schema },
});

const extract = createExtractor(agent());
const answer = { success: true, exchange: "KINGSLAND GREEN", downstream_mbps: 80, metadata: { num_steps: 5 } };
const found = { status: "succeeded", output: answer };

const missing = {
  status: "failed",
  code: "OUTPUT_MISSING",
  message: "Agent did not return structured output",
  hint: "Run `rowcall try` on this row to see what the agent replied.",
  retryable: true,
};

describe("structured output is found", () => {
  for (const [place, reply] of [
    ["in the reply itself", { structured_output: answer, other: 1 }],
    ["in a Step Functions Output that is an object", { Output: { structured_output: answer } }],
    ["in a Step Functions Output that is JSON text", { Output: JSON.stringify({ structured_output: answer }) }],
    ["in a tool result's content", { content: { structured_output: answer } }],
  ] as const) {
    it(place, () => {
      assert.deepEqual(extract(reply), found);
    });
  }

  it("in the first of the three places that has it", () => {
    const first = { structured_output: { from: "reply" } };
    const second = { Output: { structured_output: { from: "Output" } } };
    const third = { content: { structured_output: { from: "content" } } };
    assert.deepEqual(extract({ ...third, ...second, ...first }), { status: "succeeded", output: { from: "reply" } });
    assert.deepEqual(extract({ ...third, ...second }), { status: "succeeded", output: { from: "Output" } });
    assert.deepEqual(extract({ ...third, Output: "{}" }), { status: "succeeded", output: { from: "content" } });
  });

  it("whole, with the fields that no column asks for", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom("reply", "Output", "text", "content"),
        (any, place) => {
          const output = JSON.parse(JSON.stringify(any)) as JsonObject;
          const reply = { structured_output: output };
          const replies: Record<typeof place, JsonValue> = {
            reply,
            Output: { Output: reply },
            text: { Output: JSON.stringify(reply) },
            content: { content: reply },
          };
          assert.deepEqual(extract(replies[place]), { status: "succeeded", output });
        },
      ),
    );
  });
});

describe("a reply without structured output fails the row in the words of the original product", () => {
  for (const reply of [
    {},
    null,
    "text",
    7,
    [{ structured_output: {} }],
    { structured_output: null },
    { structured_output: "text" },
    { structured_output: [1] },
    { Output: "no JSON" },
    { Output: "7" },
    { Output: null },
    { content: [{ structured_output: {} }] },
    { output: { structured_output: {} } },
  ] as const) {
    it(JSON.stringify(reply), () => {
      assert.deepEqual(extract(reply), missing);
    });
  }

  it("and whatever else an agent may reply", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (reply) => {
        const outcome = extract(reply);
        assert.ok(outcome.status === "succeeded" || outcome.code === "OUTPUT_MISSING");
      }),
    );
  });
});

describe("a reply that cannot be read fails the row", () => {
  const fails = (): never => {
    throw new Error("not for you");
  };
  for (const [name, reply, message] of [
    ["a proxy that throws", new Proxy({}, { get: fails }), "The agent's reply cannot be read: not for you"],
    [
      "a getter that throws",
      Object.defineProperty({}, "structured_output", { get: fails }),
      "The agent's reply cannot be read: not for you",
    ],
    [
      "a Map in place of an object",
      { structured_output: new Map() },
      "structured_output is a Map, which JSON cannot hold",
    ],
    ["a date in place of an object", { structured_output: new Date(0) }, "structured_output is not an object"],
  ] as const) {
    it(name, () => {
      const outcome = extract(reply);
      assert.deepEqual(outcome.status === "failed" && [outcome.code, outcome.message], ["OUTPUT_INVALID", message]);
    });
  }
});

test("a number that JavaScript cannot hold keeps its digits, and counts as a number in a schema", () => {
  const strict = createExtractor(agent({ properties: { id: { type: "integer", minimum: 1 } } }));
  for (const reply of [
    parseJson('{"structured_output":{"id":12345678901234567890}}'),
    { Output: '{"structured_output":{"id":12345678901234567890}}' },
  ]) {
    const outcome = strict(reply);
    assert.equal(outcome.status === "succeeded" && JSON.stringify(outcome.output), '{"id":12345678901234567890}');
  }
  assert.equal(strict(parseJson('{"structured_output":{"id":-12345678901234567890}}')).status, "failed");
  assert.deepEqual(strict(parseJson('{"structured_output":12345678901234567890}')), missing);
});

test("output that does not fit the agent's schema fails the row with everything that is wrong", () => {
  const strict = createExtractor(
    agent({
      type: "object",
      required: ["exchange"],
      properties: { downstream_mbps: { type: "number" }, service_type: { enum: ["FTTC", "FTTP"] } },
    }),
  );
  assert.deepEqual(strict({ structured_output: { downstream_mbps: "80", service_type: "ADSL" } }), {
    status: "failed",
    code: "OUTPUT_INVALID",
    message:
      "Agent output does not fit its schema: must have required property 'exchange'; downstream_mbps must be number, not \"80\"; " +
      'service_type must be equal to one of the allowed values: ["FTTC","FTTP"], not "ADSL"',
    hint: "Correct the agent or its structured_output.schema.",
    retryable: true,
  });
  const fits = { exchange: "X", downstream_mbps: 80, service_type: "FTTC" };
  assert.deepEqual(strict({ structured_output: fits }), { status: "succeeded", output: fits });
});

test("a schema that is none is refused before any row", () => {
  assert.throws(() => createExtractor(agent({ type: "nothing" })), {
    code: "AGENT_INVALID",
    message: /^The structured_output\.schema of agent a is not a JSON Schema/,
  });
});
