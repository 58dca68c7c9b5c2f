import { z } from "zod";
import type { Attempt } from "../../core/attempt.ts";
import { failureWords } from "../../aws/aws.ts";
import { RowcallError } from "../../core/errors.ts";
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../core/json.ts";
import { parseWith } from "../../core/schema.ts";
import { joinUri } from "../../core/uri.ts";
import {
  readAnswer,
  readReply,
  toAttempt,
  type AnsweredAttempt,
  type AnswerSource,
} from "../../attempt/attempt-answer.ts";
import { readJson, readLines, runFiles, type RunReference } from "./run-folder.ts";
import type { StepFunctions } from "../../aws/step-functions.ts";
import type { AgentDefinition } from "../../core/agent.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { takeOutput } from "../../core/take-output.ts";
import { createExtractor, type ExtractOutput } from "../../attempt/extract.ts";
import type { RunRecord } from "../../runs/journal.ts";
import { pendingRows, type OpenRun } from "../../runs/open-run.ts";

const manifestSchema = z.looseObject({
  DestinationBucket: z.string(),
  ResultFiles: z.looseObject({
    SUCCEEDED: z.array(z.looseObject({ Key: z.string() })).default([]),
    FAILED: z.array(z.looseObject({ Key: z.string() })).default([]),
  }),
});

/**
 * The attempts that decided rows, as the map's result files tell them, some hundreds at a time and in no order. Of a map run that was
 * redriven the newest word counts: manifests are read in the order in which they were written.
 */
export async function* mapResults({ uri }: RunReference, source: AnswerSource): AsyncGenerator<readonly Attempt[]> {
  const { store } = source;
  const found = await Array.fromAsync(store.list(joinUri(uri, runFiles.results, "")));
  const manifests = found.filter(({ uri: name }) => name.endsWith("/manifest.json"));
  for (const { uri: manifest } of manifests.toSorted((a, b) => a.modifiedAt - b.modifiedAt)) {
    const { DestinationBucket: bucket, ResultFiles: files } = parseWith(
      manifestSchema,
      await readJson(store, manifest),
      "UNEXPECTED",
      `manifest ${manifest}`,
    );
    for (const { Key: key } of files.SUCCEEDED) {
      for await (const lines of readLines(store, `s3://${bucket}/${key}`))
        for (const some of few(lines)) yield await Promise.all(some.map((line) => attemptOfOutput(line, source)));
    }
    for (const { Key: key } of files.FAILED) {
      for await (const lines of readLines(store, `s3://${bucket}/${key}`))
        for (const some of few(lines)) yield await Promise.all(some.flatMap((line) => attemptsOfFailure(line, source)));
    }
  }
}

// A line may stand for a large reply that is kept elsewhere: so many are in memory at once.
function few(lines: readonly JsonValue[]): JsonValue[][] {
  return Array.from({ length: Math.ceil(lines.length / 32) }, (_, n) => lines.slice(n * 32, (n + 1) * 32));
}

/** What a row's execution gives back. */
interface RowOutput {
  readonly row: number;
  readonly attempt: number;
  readonly started_at: number;
  readonly ended_at: number;
  readonly reply: JsonValue;
}

/** The attempt that a row's execution gives back when it succeeds. */
async function attemptOfOutput(line: JsonValue, source: AnswerSource): Promise<Attempt> {
  const { row, attempt: number, started_at: startedAt, ended_at: endedAt, reply } = line as unknown as RowOutput;
  return toAttempt({ row, number }, await readReply(reply, { row, number }, source), { startedAt, endedAt });
}

/** What the map writes of a child that failed. */
export interface FailedChild {
  /** JSON text. */
  readonly Input: string;
  readonly Error?: string;
  readonly Cause?: string;
}

/** The attempt that a row's execution ended with when it failed; none when it was cut off, which leaves its row pending. */
function attemptsOfFailure(line: JsonValue, source: AnswerSource): Promise<Attempt>[] {
  const { Input: input, Error: error = "", Cause: cause = "" } = line as unknown as FailedChild;
  const { row } = parseObject(input);
  const told = parseObject(cause);
  const { attempt_number: number } = told;
  if (typeof row !== "number" || typeof number !== "number") return [];
  return [failure({ row, number }, error, told, source)];
}

async function failure(
  attempt: AnsweredAttempt,
  error: string,
  told: JsonObject,
  source: AnswerSource,
): Promise<Attempt> {
  const cause = JSON.stringify({ message: messageIn(told), ...told });
  const times = { startedAt: Number(told["started_at"]), endedAt: Number(told["ended_at"]) };
  return toAttempt(attempt, await readAnswer({ status: "failed", error, cause }, attempt, source), times);
}

// In the words of the same agent on one machine.
function messageIn({ error, cause, final }: JsonObject): string {
  const words = failureWords(typeof error === "string" ? error : "", typeof cause === "string" ? cause : "");
  if (final === true) return words === "" ? "The execution was stopped" : `The execution was stopped: ${words}`;
  return words === "" ? "The execution failed without a message" : words;
}

function parseObject(text: string): JsonObject {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

// AWS answers some dozens of looks a second.
const atOnce = 8;

/**
 * The attempts that decided rows so far, asked of the rows' own executions: a map that is going, or was stopped, has written no results.
 * AWS describes some 15 executions a second, so a large table takes its time.
 */
export async function* itemResults(
  sfn: StepFunctions,
  executionArn: string,
  source: AnswerSource,
): AsyncGenerator<readonly Attempt[]> {
  for (const mapRun of await sfn.mapRuns(executionArn)) {
    for (const status of ["SUCCEEDED", "FAILED"] as const) {
      for await (const page of sfn.listItems(mapRun, status)) {
        for (let first = 0; first < page.length; first += atOnce) {
          const some = page.slice(first, first + atOnce);
          const attempts = await Promise.all(some.map(({ arn }) => attemptsOf(sfn, arn, source)));
          yield attempts.flat();
        }
      }
    }
  }
}

async function attemptsOf(sfn: StepFunctions, arn: string, source: AnswerSource): Promise<readonly Attempt[]> {
  const item = await sfn.describe(arn);
  if (item?.output !== undefined) return [await attemptOfOutput(parseJson(item.output), source)];
  if (item?.status !== "FAILED") return [];
  const { input, error = "", cause = "" } = item;
  return Promise.all(attemptsOfFailure({ Input: input, Error: error, Cause: cause }, source));
}

/** Notes attempts that decided rows. */
export async function gather({ journal, run }: OpenRun, found: AsyncIterable<readonly Attempt[]>): Promise<void> {
  for await (const attempts of found) journal.importAttempts(run.seq, attempts);
  journal.recount(run.seq);
}

/**
 * Notes the failures of rows whose input is wrong, which never were in the map. Whatever else is missing from a map that was cut off
 * is pending.
 *
 * @param whole - the run, when its map says something of every row that it was given
 */
export async function refuse(open: OpenRun, whole?: RunReference): Promise<void> {
  const { journal, run } = open;
  const at = run.createdAt;
  for await (const rows of pendingRows(open)) {
    const refused = rows.flatMap(({ row, number, mapped }): Attempt[] =>
      "input" in mapped
        ? []
        : [{ row, number, startedAt: at, endedAt: at, outcome: mapped.failure, steps: [], artifacts: [] }],
    );
    journal.importAttempts(run.seq, refused);
    const missing = rows.find(({ mapped }) => "input" in mapped);
    if (whole !== undefined && missing !== undefined) {
      throw new RowcallError("UNEXPECTED", `The map of run ${run.id} says nothing of row ${missing.row}`, {
        hint: `Look at the result files under ${joinUri(whole.uri, runFiles.results)}.`,
      });
    }
  }
  journal.recount(run.seq);
}

/** Writes down what decided each row, for runs that go on with this one. */
export async function writeAttempts(store: ObjectStore, open: OpenRun, { uri }: RunReference): Promise<void> {
  const contentType = "application/jsonl";
  await store.write(joinUri(uri, runFiles.attempts), attemptLines(open), { contentType });
}

async function* attemptLines({ journal, run, table, selection }: OpenRun): AsyncGenerator<Uint8Array> {
  for await (const block of table.blocks(selection)) {
    const results = journal.results(run.seq, block.first, block.last);
    for (let row = block.first; row <= block.last; row += 1) {
      const attempt = results(row);
      if (attempt?.row === row) yield Buffer.from(`${JSON.stringify(attempt)}\n`);
    }
  }
}

/** Whose answers a run's executions give. */
export function answerSource(store: ObjectStore, { agent, recordingsUri }: RunRecord): AnswerSource {
  return { extract: extractorOf(agent), store, recordingsUri };
}

/** Finds structured output in replies. Agents that Step Functions itself calls may keep it elsewhere in them; browser agents never do. */
function extractorOf(agent: AgentDefinition): ExtractOutput {
  const extract = createExtractor(agent);
  const { output, function: name } = agent.config;
  if (typeof output !== "string") return extract;
  const whose =
    agent.kind === "lambda"
      ? `the function ${typeof name === "string" ? name : ""}`
      : `the state machine of agent ${agent.agent_name}`;
  return (reply) => extract(takeOutput(output, reply as JsonValue, whose));
}
