import assert from "node:assert/strict";
import { test } from "node:test";
import { batchDocument } from "./send-batch.ts";
import { parseBatch } from "../../core/batch-file.ts";

const files: Readonly<Record<string, object>> = {
  "with nothing but an agent": { agent_name: "a" },
  "of columns": { agent: "a@1.0.0", input_mapping: { column_mappings: { a: "b" } } },
  "of chosen columns": { agent: "a", input_mapping: { include_columns: ["x"], static_values: { n: null } } },
  "of all columns but some": { agent: "a", input_mapping: { exclude_columns: ["x"], column_mappings: [] } },
  "with everything": {
    agent_name: "a",
    agent_version: "2.0.0",
    agent_state_machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:a",
    agent_config: { deep: { er: [1, "2"] } },
    input: { uri: "s3://b/in.csv", delimiter: ";", encoding: "windows-1252", ragged: "keep" },
    output: "s3://b/out/",
    input_mapping: {
      column_mappings: [{ csv_column: "a", agent_input_field: "b", required: true, default: 3 }],
      transformations: {
        c: { type: "concat", columns: ["a", "b"], separator: "-" },
        t: { type: "template", template: "{{a}}", required: true },
        j: { type: "jsonpath", column: "a", path: "$.x" },
      },
    },
    output_mapping: {
      structured_output_fields: ["x"],
      include_original: false,
      add_metadata: false,
      metadata_columns: ["_row"],
      rename: { x: "y" },
      formula_safe: true,
    },
    execution_config: {
      max_concurrency: 3,
      timeout_seconds: 1.5,
      retry_strategy: { max_attempts: 1, retry_on: ["TIMEOUT"], do_not_retry_on: ["AGENT_FAILED"] },
      tolerated_failure_percentage: 2.5,
      tolerated_failure_count: 4,
      dedupe: true,
      heartbeat_seconds: 12,
      rate_limit: { requests_per_second: 2, per: "host" },
    },
    notification_config: { channels: ["console:"], sns_topic_arn: "arn:aws:sns:x", success_notification: false },
    recording: { level: "video", prefix: "s3://b/rec/" },
  },
};

for (const [name, file] of Object.entries(files)) {
  test(`a batch ${name}, written and read again, is the same`, () => {
    const batch = parseBatch(file, "batch");
    assert.deepEqual(parseBatch(batchDocument(batch), "document"), batch);
  });
}

test("the name of the run and the place of its attempts stay out", () => {
  const batch = parseBatch({ agent_name: "a", name: "nightly", execution_config: { dispatch: "activity" } }, "batch");
  const read = parseBatch(batchDocument(batch), "document");
  assert.deepEqual([read.name, read.execution.dispatch], [undefined, undefined]);
});
