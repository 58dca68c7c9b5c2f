import { RowcallError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { stoppedOnRequest, type Run } from "../core/run.ts";
import { ExecutionFailure } from "./state-machine.ts";

/**
 * The output of a batch processor's execution whose run has ended.
 *
 * @throws ExecutionFailure when more rows failed than were tolerated; RowcallError INTERRUPTED when the run did not end by itself
 */
export function batchOutput(run: Run): JsonObject {
  const { id, status, counts, outputUri, recordingsUri, reason } = run;
  if (status === "succeeded") {
    return {
      status: "SUCCEEDED",
      run_id: id,
      output_csv_s3_uri: outputUri,
      recordings_uri: recordingsUri,
      total_rows: counts.total,
      successful_rows: counts.succeeded,
      failed_rows: counts.failed,
    };
  }
  if (status === "stopped" && reason !== stoppedOnRequest) {
    throw new ExecutionFailure(
      "States.ExceedToleratedFailureThreshold",
      `The specified tolerated failure threshold was exceeded: ${reason ?? ""}. Of ${counts.total} rows ${counts.succeeded} ` +
        `succeeded, ${counts.failed} failed and ${counts.pending} were not begun. What there is: ${outputUri ?? "none"}`,
    );
  }
  throw new RowcallError("INTERRUPTED", `Run ${id} is ${status}: ${reason ?? "it did not end"}`, {
    hint: "Redrive the execution to go on with it.",
  });
}
