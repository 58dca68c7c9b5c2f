import { z } from "zod";
import type { Attempt } from "../../core/attempt.ts";
import { failureWords } from "../../core/failure-words.ts";
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../core/json.ts";
import { parseWith } from "../../core/schema.ts";
import { joinUri } from "../../core/uri.ts";
import { readAnswer, readReply, type AnsweredAttempt, type AnswerSource } from "../../attempt/attempt-answer.ts";
import { readJson, readLines, runFiles, type RunReference } from "./run-folder.ts";

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
export async function attemptOfOutput(line: JsonValue, source: AnswerSource): Promise<Attempt> {
  const { row, attempt: number, started_at: startedAt, ended_at: endedAt, reply } = line as unknown as RowOutput;
  const { outcome, record } = await readReply(reply, { row, number }, source);
  return {
    row,
    number,
    startedAt: record?.started_at ?? startedAt,
    endedAt: record?.ended_at ?? endedAt,
    outcome,
    steps: record?.steps ?? [],
    artifacts: record?.artifacts ?? [],
  };
}

/** What the map writes of a child that failed. */
export interface FailedChild {
  /** JSON text. */
  readonly Input: string;
  readonly Error?: string;
  readonly Cause?: string;
}

/** The attempt that a row's execution ended with when it failed; none when it was cut off, which leaves its row pending. */
export function attemptsOfFailure(line: JsonValue, source: AnswerSource): Promise<Attempt>[] {
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
  const { outcome, record } = await readAnswer({ status: "failed", error, cause }, attempt, source);
  return {
    ...attempt,
    startedAt: record?.started_at ?? Number(told["started_at"]),
    endedAt: record?.ended_at ?? Number(told["ended_at"]),
    outcome,
    steps: record?.steps ?? [],
    artifacts: record?.artifacts ?? [],
  };
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
