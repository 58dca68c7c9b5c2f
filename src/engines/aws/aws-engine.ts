import { setTimeout as waitFor } from "node:timers/promises";
import type { Batch } from "../../core/batch.ts";
import type { Delivery, FailureCount } from "../../core/channel.ts";
import type {
  DeletedRun,
  Engine,
  ExportRequest,
  RerunChoice,
  RowFilter,
  RowPage,
  RowQuery,
  RowReport,
  RunLimits,
  RunObserver,
  RunQuery,
  RunSurvey,
  StartRequest,
  WrittenTable,
} from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import { stoppedOnRequest, type Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import type { StepFunctions } from "../../aws/step-functions.ts";
import { joinUri } from "../../core/uri.ts";
import { overlap, createRunId } from "../../runs/new-run.ts";
import { readPage, reportRows, surveyRun } from "../../runs/read-page.ts";
import { checkLimits, limitsOf } from "../../runs/run-limits.ts";
import { explainTaken, writeOutput } from "../../runs/finish.ts";
import { contentTypes, freeOutputUri, outputFormat, isThere, notedContent } from "../../runs/output-uri.ts";
import { deleteRun, requireUnused } from "./delete-runs.ts";
import type { RunChoice } from "./execution-input.ts";
import {
  executionArn,
  findRun,
  runIdOf,
  requireExecutionName,
  type RunPlaces,
  readRun,
  toRun,
  type FoundRun,
} from "./found-run.ts";
import { writeAttempts } from "./gather-attempts.ts";
import { openLocalCopies, type LocalCopies } from "./local-copies.ts";
import { notifyFromHere, owedNews } from "./notify-from-here.ts";
import { openRun } from "./open-run.ts";
import {
  createPace,
  type Wait,
  describeMap,
  requirePrepared,
  watchExecution,
  type WatchSetup,
} from "./watch-execution.ts";
import { readJsonIfThere, runFiles, writeJson, type NextRun } from "./run-folder.ts";
import { readLimits, toleratedRows } from "./run-limits.ts";
import { checkBatch, isSameInput, packBatch, upload, type BatchInput, type PackedBatch } from "./send-batch.ts";
import type { PreparedRun, StagedRun } from "./staged-run.ts";

/** What an engine on AWS stands on. */
export interface AwsEngineOptions {
  readonly services: Services;
  /** The batch processor's state machine; closed with the engine. */
  readonly sfn: StepFunctions;
  /** Prefix of all runs, as the functions have it: `s3://bucket/runs/`. */
  readonly runsUri: string;
  /** Folder in which this machine remembers where outputs are to be put on it. */
  readonly dataDirectory: string;
  /** @default the time of this machine */
  readonly wait?: Wait;
}

// AWS answers one look at a map run a second, for the whole account.
const paceMs = 2000;
// To ask for the rows of a run that is going takes a look at each.
const freshMs = 30_000;
const listedRuns = 100;
const listedAtOnce = 10;

/**
 * Opens the engine that runs batches in a batch processor on AWS; nothing is called yet.
 *
 * @throws RowcallError USAGE_INVALID when runs are not kept in S3
 */
export function openAwsEngine(options: AwsEngineOptions): Engine {
  return new AwsEngine(options);
}

class AwsEngine implements Engine {
  readonly #services: Services;
  readonly #sfn: StepFunctions;
  readonly #places: RunPlaces;
  readonly #watching: WatchSetup;
  /** `s3://bucket`. */
  readonly #root: string;
  readonly #copies: LocalCopies;
  /** Rows of runs: several questions about one run are the rule. */
  readonly #kept = new Map<string, Promise<StagedRun>>();

  constructor({ services, sfn, runsUri, dataDirectory, wait }: AwsEngineOptions) {
    this.#services = services;
    this.#sfn = sfn;
    this.#root = bucketOf(runsUri);
    this.#places = { store: services.store, sfn, runsUri };
    this.#watching = { ...this.#places, pace: createPace(paceMs, services.monotonic, wait ?? realWait) };
    this.#copies = openLocalCopies(dataDirectory);
  }

  async start(request: StartRequest, observer: RunObserver = {}): Promise<Run> {
    const given = request.name ?? request.batch.name;
    if (given !== undefined) {
      const before = await this.#sfn.describe(executionArn(this.#sfn, requireExecutionName(given)));
      if (before !== undefined) return this.#startAgain(before.arn, given, request, observer);
    }
    const name = given ?? createRunId(this.#services);
    await checkBatch(this.#services, request, name);
    const packed = await packBatch(this.#services.store, this.#root, name, request);
    const begun = await this.#begin(name, packed, request.force === true);
    if (begun !== undefined) return this.#watch(begun, observer);
    // Somebody was faster; a name that nobody chose is made anew.
    if (given === undefined) return this.start(request, observer);
    return this.#startAgain(executionArn(this.#sfn, given), given, request, observer);
  }

  async resume(id: string, observer: RunObserver = {}): Promise<Run> {
    const found = await this.#latest(await findRun(this.#places, id));
    const { execution, prepared, summary } = found;
    if (execution.status === "RUNNING") return this.#watch(execution.arn, observer);
    requirePrepared(found);
    if (execution.status === "SUCCEEDED" || summary?.run.status === "succeeded" || prepared === undefined)
      return this.#bring(found);
    // A failed execution ended in its last state, which another try would end in again.
    const wasCutOff = summary === undefined && execution.status !== "FAILED";
    if (wasCutOff && (await readLimits(this.#services.store, found)) === undefined) {
      if (await this.#sfn.redrive(execution.arn)) return this.#watch(execution.arn, observer);
    }
    return this.#goOn(found, prepared, { id: found.id, again: "pending" }, observer);
  }

  async rerun(id: string, choice: RerunChoice = {}, observer: RunObserver = {}): Promise<Run> {
    const found = requirePrepared(await this.#latest(await findRun(this.#places, id)));
    const { prepared, execution } = found;
    if (execution.status === "RUNNING") throw busy(found.id);
    if (prepared === undefined || !(await hasFailed(await this.#open(found), choice))) return this.#describe(found);
    return this.#goOn(found, prepared, { id: found.id, again: "failed", ...choice }, observer);
  }

  /** Ends the execution at once: rows in flight are cut off. */
  async stop(id: string): Promise<Run> {
    const { execution } = await findRun(this.#places, id);
    if (execution.status === "RUNNING") await this.#sfn.stop(execution.arn, "Stopped", stoppedOnRequest);
    return this.describe(execution.arn);
  }

  async describe(id: string): Promise<Run> {
    return this.#describe(await findRun(this.#places, id));
  }

  async limits(id: string): Promise<RunLimits> {
    const found = await findRun(this.#places, id);
    const { run } = requireRows(found);
    const limits = limitsOf({ batch: run.batch, limits: (await readLimits(this.#services.store, found)) ?? null });
    const mapRun = found.execution.status === "RUNNING" ? await describeMap(this.#sfn, found) : undefined;
    return mapRun === undefined ? limits : { ...limits, maxConcurrency: mapRun.maxConcurrency };
  }

  async adjust(id: string, change: Partial<RunLimits>): Promise<RunLimits> {
    checkLimits(change);
    if (change.paused !== undefined) {
      throw new RowcallError("USAGE_INVALID", "A run on AWS cannot be paused", {
        hint: "Stop it with `rowcall stop`; `rowcall resume` goes on with the rows it has not decided.",
      });
    }
    const { store } = this.#services;
    const found = await findRun(this.#places, id);
    const { run, counts } = requireRows(found);
    const changed = { ...(await readLimits(store, found)), ...change };
    const limits = limitsOf({ batch: run.batch, limits: changed });
    if (found.execution.status === "RUNNING") {
      const mapRun = (await this.#sfn.mapRuns(found.execution.arn)).at(-1);
      if (mapRun === undefined) throw preparing(found.id);
      const { maxConcurrency } = change;
      // Noted before it holds, so that Finish can say which limit a run went beyond.
      await writeJson(store, joinUri(found.uri, runFiles.limits), changed);
      await this.#sfn.updateMapRun(mapRun, {
        ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
        toleratedFailureCount: toleratedRows(limits, run.total, counts),
      });
    } else await writeJson(store, joinUri(found.uri, runFiles.limits), changed);
    return limits;
  }

  /** Looks at the newest hundred, and no further than was asked for: each takes calls of its own. */
  async list({ limit = listedRuns, before, idPrefix = "", ...query }: RunQuery = {}): Promise<readonly Run[]> {
    const newest = await firstOf(this.#sfn.list(), listedRuns);
    const ids = newest.map(({ arn, startedAt }) => runIdOf(arn, startedAt));
    // Nothing is older than a run that is not there.
    const first = before === undefined ? 0 : ids.indexOf(before) + 1 || ids.length;
    const wanted = newest.filter((_, n) => n >= first && ids[n]?.startsWith(idPrefix) === true);
    const runs: Run[] = [];
    for (let looked = 0; looked < wanted.length && runs.length < limit;) {
      const some = wanted.slice(looked, looked + Math.min(listedAtOnce, limit - runs.length));
      looked += some.length;
      const described = await Promise.all(some.map(({ arn }) => this.describe(arn)));
      runs.push(...described.filter((run) => isWanted(run, query)));
    }
    return runs;
  }

  async *rows(id: string, filter: RowFilter = {}): AsyncGenerator<RowReport> {
    const { journal, run, table, selection } = await this.#open(await findRun(this.#places, id));
    yield* reportRows(journal, run, table, overlap(selection, filter.rows), filter);
  }

  async page(id: string, query: RowQuery): Promise<RowPage> {
    return readPage(await this.#open(await findRun(this.#places, id)), query);
  }

  async survey(id: string): Promise<RunSurvey> {
    return surveyRun(await this.#open(await findRun(this.#places, id)), this.#services.clock());
  }

  async batch(id: string): Promise<Batch> {
    return requireRows(await findRun(this.#places, id)).run.batch;
  }

  async export(id: string, request: ExportRequest): Promise<WrittenTable> {
    return writeOutput(this.#services, await this.#open(await findRun(this.#places, id)), request);
  }

  /** Sends from this machine. What arrived on AWS is known to nobody here, so that only all of it can be asked for. */
  async notify(id: string, { all = false }: { readonly all?: boolean } = {}): Promise<readonly Delivery[]> {
    const found = await findRun(this.#places, id);
    if (found.execution.status === "RUNNING") throw busy(found.id);
    const { batch } = requireRows(found).run;
    const run = await this.#describe(found);
    const kind = owedNews(run, batch.notifications);
    if (kind === undefined) return [];
    if (!all) {
      throw new RowcallError("USAGE_INVALID", `Which notifications of run ${run.id} have arrived is not known here`, {
        hint: `Send all of them again: \`rowcall notify ${run.id} --all\`.`,
      });
    }
    const failures = failuresIn(await this.#open(found));
    return notifyFromHere(this.#services, batch.notifications.channels, kind, run, failures);
  }

  /** Nobody keeps account on AWS: it is SNS that delivers there. */
  async deliveries(id: string): Promise<readonly Delivery[]> {
    await findRun(this.#places, id);
    return [];
  }

  async delete(ids: readonly string[]): Promise<readonly DeletedRun[]> {
    const setup = { ...this.#places, root: this.#root, copies: this.#copies };
    const named = await Promise.all(ids.map((id) => findRun(this.#places, id)));
    const runs = [...new Map(named.map((found) => [found.id, found])).values()];
    for (const { id, execution } of runs) if (execution.status === "RUNNING") throw busy(id);
    await requireUnused(setup, runs);
    const deleted: DeletedRun[] = [];
    for (const found of runs) {
      await this.#letGo(`${found.id} `);
      deleted.push(await deleteRun(setup, found, runs));
    }
    return deleted;
  }

  async close(): Promise<void> {
    await this.#letGo("");
    this.#sfn.close();
  }

  async #startAgain(arn: string, name: string, request: StartRequest, observer: RunObserver): Promise<Run> {
    const execution = await this.#sfn.describe(arn);
    const found = execution && (await readRun(this.#services.store, this.#places.runsUri, execution));
    const { input, localOutput } = await packBatch(this.#services.store, this.#root, name, request);
    const before = JSON.parse(execution?.input ?? "{}") as BatchInput;
    if (
      found !== undefined &&
      "rowcall" in before &&
      isSameInput(input, before) &&
      (await this.#isSameTable(found, input))
    ) {
      if (localOutput !== undefined && (await this.#copies.find(found.id)) === undefined)
        await this.#copies.note(found.id, { output: localOutput, force: request.force === true });
      return this.resume(arn, observer);
    }
    throw new RowcallError(
      "RUN_CONFLICT",
      `The name "${name}" belongs to an execution that has another batch or input`,
      {
        hint: `Choose another --name, or go on with the earlier run: rowcall resume ${name}`,
      },
    );
  }

  // A table from this machine has its digest in its address. One in S3 may have been replaced since.
  async #isSameTable({ prepared }: FoundRun, { input_csv_s3_uri: uri }: BatchInput): Promise<boolean> {
    if (prepared === undefined || uri.startsWith(joinUri(this.#root, "uploads", ""))) return true;
    const { createHash } = await import("node:crypto");
    const digest = createHash("sha256");
    for await (const chunk of this.#services.store.read(uri)) digest.update(chunk);
    return digest.digest("hex") === prepared.run.staged.sha256;
  }

  /** Starts an execution; undefined when its name is taken. */
  async #begin(
    name: string,
    { input, uploads, localOutput }: PackedBatch,
    force: boolean,
  ): Promise<string | undefined> {
    await upload(this.#services.store, uploads);
    const begun = await this.#sfn.start(name, JSON.stringify(input));
    if (begun === undefined) return undefined;
    if (localOutput !== undefined) {
      const { id } = await readRun(this.#services.store, this.#places.runsUri, { ...begun, name, status: "RUNNING" });
      await this.#copies.note(id, { output: localOutput, force });
    }
    return begun.arn;
  }

  /** The run that went on last with a run; itself when none has. */
  async #latest(found: FoundRun): Promise<FoundRun> {
    const { store } = this.#services;
    const next = (await readJsonIfThere(store, joinUri(found.uri, runFiles.next))) as NextRun | undefined;
    const execution = next && (await this.#sfn.describe(executionArn(this.#sfn, next.id)));
    return execution === undefined ? found : this.#latest(await readRun(store, this.#places.runsUri, execution));
  }

  /** A new execution that takes over what an earlier run has decided. */
  async #goOn(
    found: FoundRun,
    prepared: PreparedRun,
    earlier: NonNullable<RunChoice["earlier"]>,
    observer: RunObserver,
  ): Promise<Run> {
    const { store } = this.#services;
    const { run } = prepared;
    if (found.summary === undefined) await writeAttempts(store, await this.#open(found), found);
    const limits = await readLimits(store, found);
    const copy = await this.#copies.find(found.id);
    const request: StartRequest = {
      batch: {
        ...run.batch,
        execution: { ...run.batch.execution, ...limits },
        output: copy?.output ?? run.batch.output ?? "",
      },
      ...run.request,
      // The same table, written anew.
      force: true,
    };
    const name = createRunId(this.#services);
    const packed = await packBatch(store, this.#root, name, request, earlier);
    // Noted before it begins: one that never does is passed over.
    await writeJson(store, joinUri(found.uri, runFiles.next), { id: name } satisfies NextRun);
    const arn = await this.#begin(name, packed, true);
    if (arn === undefined) return this.#goOn(found, prepared, earlier, observer);
    observer.onEvent?.({ type: "notice", message: `Run ${name} goes on with run ${found.id}` });
    return this.#watch(arn, observer);
  }

  async #watch(arn: string, observer: RunObserver): Promise<Run> {
    const found = await watchExecution(this.#watching, arn, observer);
    for (const warning of found.summary?.warnings ?? []) observer.onEvent?.({ type: "warning", ...warning });
    return this.#bring(found);
  }

  /** Ends the watching of a run: with its output on this machine, when that was asked for. */
  async #bring(found: FoundRun): Promise<Run> {
    const run = await this.#describe(found);
    const copy = await this.#copies.find(found.id);
    const { summary } = found;
    if (copy === undefined || copy.writtenTo !== undefined || summary?.run.outputUri === undefined) return run;
    const { store, clock } = this.#services;
    const { output, force, writing = null } = copy;
    const isOwn = writing !== null && (await isThere(store, writing));
    const format = outputFormat(output);
    const uri = isOwn
      ? writing.uri
      : await explainTaken(found.id, freeOutputUri(store, output, format, clock(), force));
    const content = notedContent(store.read(summary.run.outputUri), uri, {
      expected: writing,
      note: (next) => this.#copies.note(found.id, { ...copy, writing: next }),
    });
    await store.write(uri, content, { contentType: contentTypes[format], ifAbsent: !force && !isOwn });
    await this.#copies.note(found.id, { ...copy, writtenTo: uri });
    return { ...run, outputUri: uri };
  }

  async #describe(found: FoundRun): Promise<Run> {
    const run = toRun(found, await describeMap(this.#sfn, found));
    const copy = await this.#copies.find(found.id);
    return copy?.writtenTo === undefined ? run : { ...run, outputUri: copy.writtenTo };
  }

  /** Closes what is kept of runs' rows, with its copies on this machine. */
  async #letGo(keyPrefix: string): Promise<void> {
    for (const [key, opened] of this.#kept) {
      if (!key.startsWith(keyPrefix)) continue;
      this.#kept.delete(key);
      await (await opened.catch(() => undefined))?.close();
    }
  }

  /** A run's rows, kept until the engine closes; of a run that is going they are asked for anew now and then. */
  async #open(found: FoundRun): Promise<StagedRun> {
    const { store, clock } = this.#services;
    const state = found.execution.stoppedAt ?? Math.floor(clock() / freshMs);
    const key = `${found.id} ${state}`;
    const kept = this.#kept.get(key) ?? openRun(store, this.#sfn, found);
    this.#kept.set(key, kept);
    kept.catch(() => this.#kept.delete(key));
    return kept;
  }
}

async function hasFailed(
  { journal, run, table, selection }: StagedRun,
  { codes, rows }: RerunChoice,
): Promise<boolean> {
  const chosen = overlap(selection, rows);
  for (const code of codes ?? [undefined]) {
    const filter = { status: "failed" as const, ...(code === undefined ? {} : { code }) };
    for await (const _first of reportRows(journal, run, table, chosen, filter)) return true;
  }
  return false;
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

function failuresIn({ journal, run }: StagedRun): readonly FailureCount[] {
  return journal.failureCounts(run.seq);
}

function requireRows(found: FoundRun): PreparedRun {
  const { prepared, execution, id } = found;
  if (prepared !== undefined) return prepared;
  if (execution.status === "RUNNING") throw preparing(id);
  requirePrepared(found);
  throw new RowcallError("RUN_NOT_FOUND", `The folder of run ${id} is gone: ${found.uri}`, {
    hint: "Folders of runs expire; the output lies where it was written.",
  });
}

function preparing(id: string): RowcallError {
  return new RowcallError("RUN_BUSY", `Run ${id} is being prepared: its rows have not begun`, {
    hint: "Try again in a moment.",
  });
}

function busy(id: string): RowcallError {
  return new RowcallError("RUN_BUSY", `Run ${id} is going on AWS`, {
    hint: `Watch it with \`rowcall resume ${id}\`, or end it with \`rowcall stop ${id}\`.`,
  });
}

function bucketOf(runsUri: string): string {
  const bucket = /^s3:\/\/[^/]+/.exec(runsUri)?.[0];
  if (bucket !== undefined) return bucket;
  throw new RowcallError("USAGE_INVALID", `Runs on AWS cannot be kept in ${runsUri}`, {
    hint: "Give the prefix that the batch processor was deployed with, such as s3://batch-processor-prod-123456789012/runs/.",
  });
}

async function realWait(ms: number, signal?: AbortSignal): Promise<void> {
  await waitFor(ms, undefined, signal && { signal });
}
