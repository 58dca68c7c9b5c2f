import { RowcallError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import type { DescribedExecution, StepFunctions } from "../../aws/step-functions.ts";
import { joinUri } from "../../core/uri.ts";
import { readRun, type FoundRun } from "./found-run.ts";
import { readJsonIfThere, runFiles } from "./run-folder.ts";
import { runIdOf } from "./run-id.ts";
import type { PreparedRun } from "./staged-run.ts";

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
