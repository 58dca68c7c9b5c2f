import type { Attempt } from "../../core/attempt.ts";
import { parseJson } from "../../core/json.ts";
import type { StepFunctions } from "../../aws/step-functions.ts";
import type { AnswerSource } from "../../attempt/attempt-answer.ts";
import { attemptOfOutput, attemptsOfFailure } from "./map-results.ts";

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
