import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Attempt } from "../../core/attempt.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import type { StepFunctions } from "../../aws/step-functions.ts";
import { joinUri } from "../../core/uri.ts";
import { answerSource, gather, refuse, itemResults, mapResults } from "./gather-attempts.ts";
import type { OpenRun } from "../../runs/open-run.ts";
import { requireRows, type FoundRun } from "./found-run.ts";
import { downloadTable, readLines, runFiles } from "./run-folder.ts";
import { openStagedRun } from "./staged-run.ts";

/**
 * Opens a run on this machine with all that is known of its rows: its staged table, and a journal as Finish has it.
 *
 * @throws RowcallError as `requireRows`
 */
export async function openFoundRun(store: ObjectStore, sfn: StepFunctions, found: FoundRun): Promise<OpenRun> {
  const prepared = requireRows(found);
  const directory = await mkdtemp(join(tmpdir(), "rowcall-run-"));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await downloadTable(store, found, directory);
    const staged = await openStagedRun(store, prepared, directory);
    await gather(staged, await resultsOf(store, sfn, found, staged));
    await refuse(staged);
    return {
      ...staged,
      run: staged.journal.getRun(staged.run.id),
      close: async () => {
        await staged.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function resultsOf(
  store: ObjectStore,
  sfn: StepFunctions,
  found: FoundRun,
  { run }: OpenRun,
): Promise<AsyncIterable<readonly Attempt[]>> {
  const { execution, uri } = found;
  const attempts = joinUri(uri, runFiles.attempts);
  if (execution.status !== "RUNNING" && (await store.stat(attempts)) !== undefined)
    return readAttempts(store, attempts);
  const source = answerSource(store, run);
  for await (const { uri: name } of store.list(joinUri(uri, runFiles.results, ""))) {
    if (name.endsWith("/manifest.json")) return mapResults(found, source);
  }
  return itemResults(sfn, execution.arn, source);
}

async function* readAttempts(store: ObjectStore, uri: string): AsyncGenerator<readonly Attempt[]> {
  for await (const lines of readLines(store, uri)) yield lines as unknown as readonly Attempt[];
}
