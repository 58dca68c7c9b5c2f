import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import type { Attempt, Outcome } from "../core/attempt.ts";
import type { OutputMapping } from "../core/batch.ts";
import type { RowcallError } from "../core/errors.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import {
  createEnricher,
  requireNoCollision,
  toCell,
  type Enricher,
  type EnricherSetup,
  type RowResult,
} from "./enrich.ts";

const mapping: OutputMapping = {
  includeOriginal: true,
  addMetadata: true,
  metadataColumns: [],
  rename: {},
  formulaSafe: false,
};

const endedAt = Date.UTC(2025, 9, 18, 5, 30, 0, 999);

function result(outcome: Outcome, attempt: Partial<Attempt> = {}): RowResult {
  const base = { row: 4, number: 2, startedAt: endedAt - 12_500, endedAt, steps: [], artifacts: [] };
  return { row: 4, attempt: { ...base, outcome, ...attempt } };
}

const succeeded = (output: JsonObject): RowResult => result({ status: "succeeded", output });
const failed = result({ status: "failed", code: "TIMEOUT", message: "Execution timeout", retryable: true });
const pending: RowResult = { row: 4 };

const enricher = (
  setup: Partial<Omit<EnricherSetup, "mapping">> & { mapping?: Partial<OutputMapping> } = {},
): Enricher =>
  createEnricher({
    fields: ["a", "b"],
    header: ["id"],
    agentVersion: "1.2.3",
    anyFailed: false,
    ...setup,
    mapping: { ...mapping, ...setup.mapping },
  });

const asRecord = (made: Enricher, of: RowResult): Record<string, string> => {
  const cells = made.enrichRow(of);
  assert.equal(cells.length, made.columns.length);
  return Object.fromEntries(made.columns.map((name, i) => [name, cells[i]?.text ?? "no cell"]));
};

test("structured fields come first in the order of the batch, then the metadata columns", () => {
  const made = enricher({ fields: ["b", "a"] });
  assert.deepEqual(made.columns, ["b", "a", "_status", "_timestamp", "_execution_time_ms"]);
  assert.deepEqual(
    made.enrichRow(succeeded({ a: 1, b: "x", c: "not asked for" })).map(({ text }) => text),
    ["x", "1", "SUCCESS", "2025-10-18T05:30:00Z", "12500"],
  );
});

test("a failed row has empty structured fields, FAILED, and its message", () => {
  assert.deepEqual(asRecord(enricher({ anyFailed: true }), failed), {
    a: "",
    b: "",
    _status: "FAILED",
    _timestamp: "2025-10-18T05:30:00Z",
    _execution_time_ms: "12500",
    _error_message: "Execution timeout",
  });
});

test("_error_message is a column only when a row failed, and empty in rows that did not", () => {
  assert.equal(enricher().columns.includes("_error_message"), false);
  assert.equal(asRecord(enricher({ anyFailed: true }), succeeded({}))["_error_message"], "");
});

test("a row that is not decided yet is PENDING and otherwise empty", () => {
  assert.deepEqual(asRecord(enricher(), pending), {
    a: "",
    b: "",
    _status: "PENDING",
    _timestamp: "",
    _execution_time_ms: "",
  });
});

test("add_metadata: false leaves out the usual columns, not those asked for by name", () => {
  const made = enricher({ anyFailed: true, mapping: { addMetadata: false, metadataColumns: ["_error_code"] } });
  assert.deepEqual(made.columns, ["a", "b", "_error_code"]);
});

test("the extra metadata columns stand after the usual ones in the order they were asked for", () => {
  const metadataColumns = ["_recording", "_row", "_attempts", "_error_code", "_agent_version"] as const;
  const made = enricher({ fields: [], anyFailed: true, mapping: { metadataColumns } });
  assert.deepEqual(made.columns.slice(3), ["_error_message", ...metadataColumns]);
  const artifacts = [
    { name: "video.mp4", uri: "r/video.mp4", contentType: "video/mp4" },
    { name: "final.png", uri: "r/final.png", contentType: "image/png" },
  ];
  const cells = (of: RowResult): string[] =>
    made
      .enrichRow(of)
      .slice(4)
      .map(({ text }) => text);
  assert.deepEqual(cells(result({ status: "succeeded", output: {} }, { artifacts })), [
    "r/video.mp4",
    "4",
    "2",
    "",
    "1.2.3",
  ]);
  assert.deepEqual(cells(failed), ["", "4", "2", "TIMEOUT", "1.2.3"]);
  assert.deepEqual(cells(pending), ["", "4", "0", "", "1.2.3"]);
});

test("rename writes fields and metadata columns under other names, and changes nothing else", () => {
  const made = enricher({ mapping: { rename: { a: "A column", _status: "status" } } });
  assert.deepEqual(made.columns, ["A column", "b", "status", "_timestamp", "_execution_time_ms"]);
  assert.deepEqual(
    made
      .enrichRow(succeeded({ a: 1, b: 2 }))
      .slice(0, 3)
      .map(({ text }) => text),
    ["1", "2", "SUCCESS"],
  );
});

test("fields named like what every object has are ordinary fields", () => {
  const made = enricher({ fields: ["constructor", "toString"], mapping: { addMetadata: false } });
  assert.deepEqual(made.columns, ["constructor", "toString"]);
  assert.deepEqual(
    made.enrichRow(succeeded({})).map(({ text }) => text),
    ["", ""],
  );
  assert.deepEqual(made.unseenFields(), ["constructor", "toString"]);
});

describe("a cell", () => {
  for (const [name, value, text] of [
    ["a string as it is", " 007 ", " 007 "],
    ["true in lower case", true, "true"],
    ["false in lower case", false, "false"],
    ["null as nothing", null, ""],
    ["a missing value as nothing", undefined, ""],
    ["zero as a figure", 0, "0"],
    ["a fraction with a point", 1.5, "1.5"],
    ["an object as JSON text", { a: [1, "é"], b: null }, '{"a":[1,"é"],"b":null}'],
    ["an array as JSON text", ["x", 1], '["x",1]'],
    ["an empty string as nothing", "", ""],
  ] as const) {
    it(`holds ${name}`, () => {
      assert.equal(toCell(value).text, text);
    });
  }

  it("holds any JSON value so that it can be told again", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (any) => {
        const value = JSON.parse(JSON.stringify(any)) as JsonValue;
        const { text, isString } = toCell(value);
        if (value === null) assert.equal(text, "");
        else assert.deepEqual(isString ? text : JSON.parse(text), value);
      }),
    );
  });
});

test("any outcome fills exactly the columns there are, in the time that stands in the attempt", () => {
  const outcome = fc.oneof(
    fc
      .dictionary(fc.constantFrom("a", "b", "c"), fc.jsonValue())
      .map((output): Outcome => ({ status: "succeeded", output: output as JsonObject })),
    fc.string().map((message): Outcome => ({ status: "failed", code: "AGENT_FAILED", message, retryable: true })),
  );
  fc.assert(
    fc.property(
      outcome,
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      fc.nat(),
      fc.boolean(),
      (of, startedAt, tookMs, anyFailed) => {
        const ended = startedAt + tookMs;
        const record = asRecord(enricher({ anyFailed }), result(of, { startedAt, endedAt: ended }));
        assert.equal(record["_status"], of.status === "failed" ? "FAILED" : "SUCCESS");
        assert.match(record["_timestamp"] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.equal(Date.parse(record["_timestamp"] ?? ""), Math.floor(ended / 1000) * 1000);
        assert.equal(record["_execution_time_ms"], String(tookMs));
        for (const field of ["a", "b"]) {
          const value = of.status === "succeeded" && Object.hasOwn(of.output, field) ? of.output[field] : undefined;
          assert.equal(record[field], toCell(value).text);
        }
      },
    ),
  );
});

test("fields that no succeeded row has are known, null counts as an answer", () => {
  const made = enricher({ fields: ["a", "b", "c"] });
  made.enrichRow(failed);
  made.enrichRow(succeeded({ a: null }));
  made.enrichRow(succeeded({ b: undefined }));
  assert.deepEqual(made.unseenFields(), ["b", "c"]);
});

describe("a column that collides", () => {
  it("with one of the input is refused, with the way out", () => {
    assert.throws(() => enricher({ fields: ["street"], header: ["street"] }), {
      code: "COLUMN_COLLISION",
      message: 'Output column "street" has the name of a column of the input',
      hint: 'Write it under another name with output_mapping.rename: {"street": "street_2"}, or leave the original columns out with include_original: false.',
    });
  });

  it("under the name it was renamed to is named by its field in the hint", () => {
    assert.throws(() => enricher({ header: ["street"], mapping: { rename: { a: "street" } } }), {
      code: "COLUMN_COLLISION",
      message: 'Output column "street" has the name of a column of the input',
      hint: 'Write it under another name with output_mapping.rename: {"a": "street_2"}, or leave the original columns out with include_original: false.',
    });
  });

  it("with another output column is refused, without talk of the input", () => {
    assert.throws(() => enricher({ fields: ["a", "_status"] }), {
      code: "COLUMN_COLLISION",
      message: 'Output column "_status" has the name of another output column',
      hint: 'Write it under another name with output_mapping.rename: {"_status": "_status_2"}.',
    });
  });

  it("is told together with every other one", () => {
    assert.throws(
      () => enricher({ fields: ["a", "b"], header: ["a", "b"] }),
      (error: RowcallError) => {
        assert.equal(error.code, "COLUMN_COLLISION");
        assert.match(error.message, /^Output column "a" .*; Output column "b" /);
        assert.equal((error.details["problems"] as unknown[]).length, 2);
        return true;
      },
    );
  });

  it("with a column that is not written is no collision", () => {
    assert.doesNotThrow(() =>
      enricher({ fields: ["street"], header: ["street"], mapping: { includeOriginal: false } }),
    );
  });

  it("is found before a run, _error_message included", () => {
    assert.throws(() => requireNoCollision(mapping, ["a"], ["id", "_error_message"]), { code: "COLUMN_COLLISION" });
    assert.doesNotThrow(() => requireNoCollision(mapping, ["a"], ["id", "id", ""]));
  });
});
