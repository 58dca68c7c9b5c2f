import type { FailureSummary, RunQuery, RunReader } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import type { OpenRun } from "../../runs/open-run.ts";
import { contentTypes, freeOutputUri, isThere, notedContent, outputFormat } from "../../runs/output-uri.ts";
import { explainTaken } from "../../runs/finish.ts";
import { readPage, reportRows } from "../../runs/read-page.ts";
import { limitsOf } from "../../runs/run-limits.ts";
import { failuresOf, surveyRun } from "../../runs/survey-run.ts";
import { findRun, requireRows, runIdOf, toRun, type FoundRun, type RunPlaces } from "./found-run.ts";
import { openLocalCopies, type LocalCopies } from "./local-copies.ts";
import { openFoundRun } from "./open-found-run.ts";
import { readLimits } from "./staged-run.ts";
import { describeMap } from "./watch-execution.ts";

/** The runs of a batch processor on AWS, for all that is done with them. */
export interface AwsRuns extends RunPlaces {
  readonly services: Services;
  /** `s3://bucket`. */
  readonly root: string;
  /** Outputs that go on this machine. */
  readonly copies: LocalCopies;
  find(id: string): Promise<FoundRun>;
  /** A run as others see it. */
  describe(found: FoundRun): Promise<Run>;
  /** The same, with its output on this machine when that was asked for. */
  bring(found: FoundRun): Promise<Run>;
  /** A run's rows, kept until they are let go; of a run that is going they are asked for anew now and then. */
  open(found: FoundRun): Promise<OpenRun>;
  /** Closes what is kept of the rows of a run, or of all runs. */
  letGo(id?: string): Promise<void>;
}

// To ask for the rows of a run that is going takes a look at each.
const freshMs = 30_000;

/**
 * Opens the runs of a batch processor; nothing is called yet.
 *
 * @param dataDirectory - folder in which this machine remembers where outputs are to be put on it
 * @throws RowcallError USAGE_INVALID when runs are not kept in S3
 */
export function openAwsRuns(services: Services, places: RunPlaces, dataDirectory: string): AwsRuns {
  const { store, clock } = services;
  const { sfn } = places;
  const root = bucketOf(places.runsUri);
  const copies = openLocalCopies(dataDirectory);
  // Several questions about one run are the rule.
  const kept = new Map<string, Promise<OpenRun>>();
  const describe = async (found: FoundRun): Promise<Run> => {
    const run = toRun(found, await describeMap(sfn, found));
    const copy = await copies.find(found.id);
    return copy?.writtenTo === undefined ? run : { ...run, outputUri: copy.writtenTo };
  };
  return {
    ...places,
    services,
    root,
    copies,
    find: (id) => findRun(places, id),
    describe,
    bring: async (found) => {
      const run = await describe(found);
      const copy = await copies.find(found.id);
      const written = found.summary?.run.outputUri;
      if (copy === undefined || copy.writtenTo !== undefined || written === undefined) return run;
      const { output, force, writing = null } = copy;
      const isOwn = writing !== null && (await isThere(store, writing));
      const format = outputFormat(output);
      const uri = isOwn
        ? writing.uri
        : await explainTaken(found.id, freeOutputUri(store, output, format, clock(), force));
      const content = notedContent(store.read(written), uri, {
        expected: writing,
        note: (next) => copies.note(found.id, { ...copy, writing: next }),
      });
      await store.write(uri, content, { contentType: contentTypes[format], ifAbsent: !force && !isOwn });
      await copies.note(found.id, { ...copy, writtenTo: uri });
      return { ...run, outputUri: uri };
    },
    open: (found) => {
      const state = found.execution.stoppedAt ?? Math.floor(clock() / freshMs);
      const key = `${found.id} ${state}`;
      const opened = kept.get(key) ?? openFoundRun(store, sfn, found);
      kept.set(key, opened);
      opened.catch(() => kept.delete(key));
      return opened;
    },
    letGo: async (id) => {
      for (const [key, opened] of kept) {
        if (id !== undefined && !key.startsWith(`${id} `)) continue;
        kept.delete(key);
        await (await opened.catch(() => undefined))?.close();
      }
    },
  };
}

const listedRuns = 100;
const listedAtOnce = 10;

/** What can be read of the runs; lists look at the newest hundred, and no further than is asked for: each takes calls of its own. */
export function readAwsRuns(runs: AwsRuns): RunReader {
  const { sfn, services } = runs;
  const opened = async (id: string): Promise<OpenRun> => runs.open(await runs.find(id));
  return {
    describe: async (id) => runs.describe(await runs.find(id)),
    list: async ({ limit = listedRuns, before, idPrefix = "", ...query } = {}) => {
      const newest = await firstOf(sfn.list(), listedRuns);
      const ids = newest.map(({ arn, startedAt }) => runIdOf(arn, startedAt));
      // Nothing is older than a run that is not there.
      const first = before === undefined ? 0 : ids.indexOf(before) + 1 || ids.length;
      const wanted = newest.filter((_, n) => n >= first && ids[n]?.startsWith(idPrefix) === true);
      const found: Run[] = [];
      for (let looked = 0; looked < wanted.length && found.length < limit;) {
        const some = wanted.slice(looked, looked + Math.min(listedAtOnce, limit - found.length));
        looked += some.length;
        const described = await Promise.all(some.map(async ({ arn }) => runs.describe(await runs.find(arn))));
        found.push(...described.filter((run) => isWanted(run, query)));
      }
      return found;
    },
    limits: async (id) => {
      const found = await runs.find(id);
      const { batch } = requireRows(found).run;
      const limits = limitsOf({ batch, limits: (await readLimits(services.store, found)) ?? null });
      const mapRun = found.execution.status === "RUNNING" ? await describeMap(sfn, found) : undefined;
      return mapRun === undefined ? limits : { ...limits, maxConcurrency: mapRun.maxConcurrency };
    },
    batch: async (id) => requireRows(await runs.find(id)).run.batch,
    rows: async function* (id, filter = {}) {
      yield* reportRows(await opened(id), filter);
    },
    page: async (id, query) => readPage(await opened(id), query),
    survey: async (id) => surveyRun(await opened(id), services.clock()),
    failures: async (id) => readFailures(runs, await runs.find(id)),
  };
}

/** The failed rows of a run by code, most frequent first: from its summary, once there is one. */
export async function readFailures({ open }: AwsRuns, found: FoundRun): Promise<readonly FailureSummary[]> {
  return found.summary?.failures ?? failuresOf(await open(found));
}

async function firstOf<T>(pages: AsyncIterable<readonly T[]>, many: number): Promise<readonly T[]> {
  const first: T[] = [];
  for await (const page of pages) {
    first.push(...page);
    if (first.length >= many) break;
  }
  return first.slice(0, many);
}

function isWanted(run: Run, { text = "", status, agent }: RunQuery): boolean {
  const { id, name = "", inputUri } = run;
  return (
    (status === undefined || run.status === status) &&
    (agent === undefined || run.agent === agent) &&
    [id, name, run.agent, inputUri].some((told) => told.toLowerCase().includes(text.toLowerCase()))
  );
}

function bucketOf(runsUri: string): string {
  const bucket = /^s3:\/\/[^/]+/.exec(runsUri)?.[0];
  if (bucket !== undefined) return bucket;
  throw new RowcallError("USAGE_INVALID", `Runs on AWS cannot be kept in ${runsUri}`, {
    hint: "Give the prefix that the batch processor was deployed with, such as s3://batch-processor-prod-123456789012/runs/.",
  });
}
