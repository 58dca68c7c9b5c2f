import type { DeletedRun, KeptPlace } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { baseName, joinUri } from "../../core/uri.ts";
import { hasRecordings } from "../../runs/recordings-uri.ts";
import { removePrefix } from "../../runs/remove-prefix.ts";
import type { AwsRuns } from "./aws-runs.ts";
import { executionArn, readRun, type FoundRun } from "./found-run.ts";
import { readJsonIfThere, runFiles, type NextRun } from "./run-folder.ts";

/**
 * Makes sure that nobody needs what is to be deleted.
 *
 * @throws RowcallError RUN_CONFLICT when a run has gone on with one of these: what was decided before is read from there
 */
export async function requireUnused({ store, sfn, runsUri }: AwsRuns, runs: readonly FoundRun[]): Promise<void> {
  for (const { id, uri } of runs) {
    const next = (await readJsonIfThere(store, joinUri(uri, runFiles.next))) as NextRun | undefined;
    const execution = next && (await sfn.describe(executionArn(sfn, next.id)));
    const follower = execution && (await readRun(store, runsUri, execution));
    if (follower === undefined || runs.some((run) => run.id === follower.id)) continue;
    if (follower.prepared === undefined && follower.execution.status !== "RUNNING") continue;
    throw new RowcallError(
      "RUN_CONFLICT",
      `Run ${follower.id} went on with run ${id}, and reads from it what was decided`,
      {
        hint: `Delete both: rowcall delete ${follower.id} ${id}`,
      },
    );
  }
}

/**
 * Deletes what is in S3 of a run that is not in flight, and what this machine remembers of it; the run's own record goes last.
 *
 * @param others - what is deleted with it
 */
export async function deleteRun(setup: AwsRuns, found: FoundRun, others: readonly FoundRun[]): Promise<DeletedRun> {
  const { store, root, copies } = setup;
  const { id, uri, execution, prepared, summary } = found;
  const removed: string[] = [];
  const left: KeptPlace[] = [];
  const remove = async (place: string, last?: string): Promise<boolean> => {
    const isFound = await removePrefix(store, place, last);
    if (isFound) removed.push(place);
    return isFound;
  };

  if (prepared !== undefined) {
    const { recordingsUri, batch } = prepared.run;
    if (batch.recording.prefix === undefined && baseName(recordingsUri) === id) await remove(recordingsUri);
    else if (await hasRecordings(store, { recordingsUri }))
      left.push({ uri: recordingsUri, why: "recordings, where its batch has them kept" });
    left.push({ uri: batch.inputUri, why: "the table that it read" });
    const { earlier } = prepared;
    if (earlier !== undefined && !others.some((other) => other.id === earlier.id))
      left.push({ uri: earlier.uri, why: `run ${earlier.id}, which it went on with` });
  }
  const outputs = joinUri(root, "outputs", execution.name);
  const isOnItsWay = outputOf(execution.input)?.startsWith(`${outputs}/`) === true;
  if (isOnItsWay) await remove(outputs);
  else if (summary?.run.outputUri !== undefined)
    left.push({ uri: summary.run.outputUri, why: "the table that it wrote" });
  const copy = await copies.find(id);
  if (copy?.writtenTo !== undefined) left.push({ uri: copy.writtenTo, why: "the table that it wrote" });

  await remove(uri, joinUri(uri, runFiles.run));
  await copies.forget(id);
  left.push({
    uri: execution.arn,
    why: "AWS keeps executions with the inputs and outputs of rows for 90 days; they cannot be deleted",
  });
  const name = execution.name === id ? {} : { name: execution.name };
  return { id, ...name, rows: prepared?.run.total ?? 0, removed, left };
}

// Of an execution that an engine started: another may name what place it likes.
function outputOf(input: string | undefined): string | undefined {
  const value = JSON.parse(input ?? "{}") as JsonValue;
  const output = isJsonObject(value) && "rowcall" in value ? value["output_s3_prefix"] : undefined;
  return typeof output === "string" ? output : undefined;
}
