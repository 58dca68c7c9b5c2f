import type { Batch, InputMapping } from "../../core/batch.ts";
import type { JsonObject } from "../../core/json.ts";

/**
 * A batch as the value of a batch file, for who runs it elsewhere: read again it is the same batch. The name stays out, which belongs
 * to the run, and so does where attempts are made.
 */
export function batchDocument(batch: Batch): JsonObject {
  const { agent, dialect, inputUri, outputMapping, execution, notifications, recording } = batch;
  const { retry, rateLimit } = execution;
  return withoutUndefined({
    agent_name: agent.name,
    agent_version: agent.version,
    agent_state_machine_arn: batch.agentStateMachineArn,
    agent_config: batch.agentConfig,
    input: { ...dialect, ...(inputUri === undefined ? {} : { uri: inputUri }) },
    output: batch.output,
    input_mapping: inputMapping(batch.inputMapping),
    output_mapping: {
      structured_output_fields: outputMapping.fields,
      include_original: outputMapping.includeOriginal,
      add_metadata: outputMapping.addMetadata,
      metadata_columns: outputMapping.metadataColumns,
      rename: outputMapping.rename,
      formula_safe: outputMapping.formulaSafe,
    },
    execution_config: {
      max_concurrency: execution.maxConcurrency,
      timeout_seconds: execution.timeoutSeconds,
      retry_strategy: {
        max_attempts: retry.maxAttempts,
        backoff_rate: retry.backoffRate,
        interval_seconds: retry.intervalSeconds,
        max_delay_seconds: retry.maxDelaySeconds,
        jitter_strategy: retry.jitterStrategy,
        retry_on: retry.retryOn,
        do_not_retry_on: retry.doNotRetryOn,
      },
      tolerated_failure_percentage: execution.toleratedFailurePercentage,
      tolerated_failure_count: execution.toleratedFailureCount,
      dedupe: execution.dedupe,
      heartbeat_seconds: execution.heartbeatSeconds,
      rate_limit: rateLimit && { requests_per_second: rateLimit.requestsPerSecond, per: rateLimit.per },
    },
    notification_config: {
      success_notification: notifications.onSuccess,
      failure_notification: notifications.onFailure,
      channels: notifications.channels,
    },
    recording,
  });
}

function inputMapping({ selection, columns, transformations, staticValues }: InputMapping): object {
  return {
    // Given even when it is empty: without it every column would be passed.
    column_mappings: columns.map((mapping) => ({
      csv_column: mapping.column,
      agent_input_field: mapping.field,
      required: mapping.required,
      default: mapping.default,
    })),
    include_columns: selection.kind === "include" ? selection.columns : undefined,
    exclude_columns: selection.kind === "exclude" ? selection.columns : undefined,
    transformations: Object.fromEntries(transformations.map(({ field, ...how }) => [field, how])),
    static_values: staticValues,
  };
}

function withoutUndefined(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
