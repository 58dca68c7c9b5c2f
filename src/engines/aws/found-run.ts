import { createHash } from "node:crypto";
import { createRunId } from "../../runs/new-run.ts";
import { type JsonValue, isJsonObject } from "../../core/json.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { stoppedOnRequest, type Run, type RowCounts } from "../../core/run.ts";
import type { DescribedExecution, DescribedMapRun, ListedExecution, StepFunctions } from "../../aws/step-functions.ts";
import { joinUri } from "../../core/uri.ts";
import type { RunSummary } from "./finish.ts";
import { readJsonIfThere, runFiles, type RunReference } from "./run-folder.ts";
import type { PreparedRun } from "./staged-run.ts";
import { isErrorCode, RowcallError } from "../../core/errors.ts";
import { referenceOf } from "../../core/registry.ts";

/**
 * The id of the run that an execution does: the execution's name when that is an id already, else made of its start and its ARN, so that
 * everybody who knows the execution knows the run.
 *
 * @param startedAt - milliseconds since 1970, UTC
 */
export function runIdOf(executionArn: string, startedAt: number): string {
  const name = executionArn.slice(executionArn.lastIndexOf(":") + 1);
  if (/^\d{8}-\d{6}-[0-9a-z]{4}$/.test(name)) return name;
  const digest = createHash("sha256").update(executionArn).digest();
  return createRunId({ clock: () => startedAt, random: () => digest.readUInt32BE() / 2 ** 32 });
}

/** A run on AWS: its execution, and what its folder says of it. */
export interface FoundRun extends RunReference {
  readonly execution: ListedExecution & Partial<DescribedExecution>;
  /** Undefined before Prepare has done its work, when it refused, and when the folder has expired. */
  readonly prepared?: PreparedRun;
  /** Undefined while the execution is going, and when it ended without Finish. */
  readonly summary?: RunSummary;
}

/** Reads what an execution's folder says. */
export async function readRun(
  store: ObjectStore,
  runsUri: string,
  execution: FoundRun["execution"],
): Promise<FoundRun> {
  const id = runIdOf(execution.arn, execution.startedAt);
  const uri = joinUri(runsUri, id);
  const prepared = await readJsonIfThere(store, joinUri(uri, runFiles.run));
  const isOver = execution.status !== "RUNNING" && prepared !== undefined;
  const summary = isOver ? await readJsonIfThere(store, joinUri(uri, runFiles.summary)) : undefined;
  return {
    id,
    uri,
    execution,
    prepared: prepared as PreparedRun | undefined,
    summary: summary as RunSummary | undefined,
  };
}

/**
 * A run as others see it.
 *
 * @param mapRun - how its map stands, while there is no summary
 */
export function toRun({ id, execution, prepared, summary }: FoundRun, mapRun?: DescribedMapRun): Run {
  const { name, startedAt: createdAt, stoppedAt: endedAt } = execution;
  const common = { id, ...(name === id ? {} : { name }), createdAt, ...(endedAt === undefined ? {} : { endedAt }) };
  if (summary !== undefined) return { ...summary.run, ...common };
  const { status, reason } = standing(execution);
  if (prepared === undefined) {
    const told = tellingOf(execution);
    return { ...common, status, agent: "", ...told, ...(reason === undefined ? {} : { reason }) };
  }
  const { run } = prepared;
  return {
    ...common,
    status,
    agent: referenceOf(run.agent),
    inputUri: run.batch.inputUri,
    recordingsUri: run.recordingsUri,
    counts: countsOf(prepared, mapRun),
    ...(reason === undefined ? {} : { reason }),
  };
}

// Duplicates count as pending until the run is written: only then it is told whose result they share.
function countsOf({ run: { total }, counts }: PreparedRun, mapRun: DescribedMapRun | undefined): RowCounts {
  const items = mapRun?.items;
  const succeeded = counts.succeeded + (items?.succeeded ?? 0);
  const failed = counts.failed + counts.refused + (items?.failed ?? 0) + (items?.timedOut ?? 0);
  const inFlight = items?.running ?? 0;
  return { total, succeeded, failed, inFlight, pending: Math.max(0, total - succeeded - failed - inFlight) };
}

function standing({ status, error, cause }: FoundRun["execution"]): Pick<Run, "status" | "reason"> {
  switch (status) {
    case "RUNNING":
      return { status: "running" };
    case "SUCCEEDED":
      return { status: "succeeded" };
    case "ABORTED":
      return { status: "stopped", reason: cause ?? error ?? stoppedOnRequest };
    case "TIMED_OUT":
      return { status: "failed", reason: "The execution reached its time limit" };
    case "FAILED":
      return { status: "failed", reason: [error, cause].filter((part) => part !== undefined).join(": ") };
  }
}

// What is left of a run whose folder has expired, or never was.
function tellingOf({ input, output }: FoundRun["execution"]): Pick<Run, "inputUri" | "outputUri" | "counts"> {
  const asked = parse(input);
  const told = parse(output);
  const total = Number(told["total_rows"] ?? 0);
  const succeeded = Number(told["successful_rows"] ?? 0);
  const failed = Number(told["failed_rows"] ?? 0);
  const inputUri = asked["input_csv_s3_uri"] ?? asked["csv_s3_uri"] ?? asked["input"];
  const outputUri = told["output_csv_s3_uri"];
  return {
    inputUri: typeof inputUri === "string" ? inputUri : "",
    ...(typeof outputUri === "string" ? { outputUri } : {}),
    counts: { total, succeeded, failed, inFlight: 0, pending: total - succeeded - failed },
  };
}

function parse(text: string | undefined): Readonly<Record<string, JsonValue | undefined>> {
  const value = text === undefined ? null : (JSON.parse(text) as JsonValue);
  return isJsonObject(value) ? value : {};
}

/** Where runs are looked for. */
export interface RunPlaces {
  readonly store: ObjectStore;
  readonly sfn: StepFunctions;
  readonly runsUri: string;
}

const namePattern = /^[\w.+=@()'!-]{1,80}$/;

/** ARN of the machine's execution of a name. */
export function executionArn({ stateMachineArn }: StepFunctions, name: string): string {
  return `${stateMachineArn.replace(":stateMachine:", ":execution:")}:${name}`;
}

/**
 * A name that an execution may have.
 *
 * @throws RowcallError USAGE_INVALID
 */
export function requireExecutionName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new RowcallError("USAGE_INVALID", `"${name}" cannot be the name of an execution on AWS`, {
    hint: "Use at most 80 letters, digits, - and _.",
  });
}

/**
 * Finds a run by its id, or by name or ARN of its execution.
 *
 * @throws RowcallError RUN_NOT_FOUND
 */
export async function findRun({ store, sfn, runsUri }: RunPlaces, text: string): Promise<FoundRun> {
  const execution = await findExecution({ store, sfn, runsUri }, text);
  if (execution !== undefined) return readRun(store, runsUri, execution);
  throw new RowcallError("RUN_NOT_FOUND", `There is no run "${text}"`, { hint: "`rowcall runs` lists them." });
}

async function findExecution(
  { store, sfn, runsUri }: RunPlaces,
  text: string,
): Promise<DescribedExecution | undefined> {
  if (text.startsWith("arn:")) return sfn.describe(text);
  if (!namePattern.test(text)) return undefined;
  const named = await sfn.describe(executionArn(sfn, text));
  if (named !== undefined) return named;
  const prepared = await readJsonIfThere(store, joinUri(runsUri, text, runFiles.run));
  if (prepared !== undefined) return sfn.describe((prepared as unknown as PreparedRun).execution);
  // A run that was refused, or is not prepared yet, has left nothing but its execution.
  if (!/^\d{8}-\d{6}-[0-9a-z]{4}$/.test(text)) return undefined;
  for await (const page of sfn.list()) {
    const found = page.find(({ arn, startedAt }) => runIdOf(arn, startedAt) === text);
    if (found !== undefined) return sfn.describe(found.arn);
    // They come newest first, and the id begins with the time.
    if (page.some(({ startedAt }) => runIdOf("", startedAt).slice(0, 15) < text.slice(0, 15))) return undefined;
  }
  return undefined;
}

/**
 * A run that has ended, if it ever was one.
 *
 * @throws RowcallError of what kept it from being prepared
 */
export function requirePrepared(found: FoundRun): FoundRun {
  const { prepared, execution } = found;
  if (prepared !== undefined || execution.status === "SUCCEEDED") return found;
  const { error = execution.status, cause = "no reason was given" } = execution;
  if (isErrorCode(error)) throw new RowcallError(error, cause.replace(/^Prepare: /, ""));
  throw new RowcallError("AWS_FAILED", `The execution ${execution.name} ended before a row ran: ${error}: ${cause}`, {
    hint: `Look at it in the AWS console: ${execution.arn}`,
  });
}

/**
 * A run of whose rows something is known.
 *
 * @throws RowcallError RUN_BUSY before it is prepared; RUN_NOT_FOUND when its folder has expired; what kept it from being prepared
 */
export function requireRows(found: FoundRun): PreparedRun {
  const { prepared, execution, id } = found;
  if (prepared !== undefined) return prepared;
  if (execution.status === "RUNNING") throw runPreparing(id);
  requirePrepared(found);
  throw new RowcallError("RUN_NOT_FOUND", `The folder of run ${id} is gone: ${found.uri}`, {
    hint: "Folders of runs expire; the output lies where it was written.",
  });
}

/** What is said of a run whose rows have not begun. */
export function runPreparing(id: string): RowcallError {
  return new RowcallError("RUN_BUSY", `Run ${id} is being prepared: its rows have not begun`, {
    hint: "Try again in a moment.",
  });
}
