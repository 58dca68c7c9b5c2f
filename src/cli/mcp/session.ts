import { openAudit, type Audit } from "../../app/audit.ts";
import { type RunHost, createRunHost } from "../../app/run-host.ts";
import type { Engine } from "../../core/engine.ts";
import type { Services } from "../../core/services.ts";
import { makePlan } from "../../app/make-plan.ts";
import type { Plan, PlanChoice } from "../../app/plan.ts";
import type { BatchParts } from "../../runs/load-batch.ts";
import type { Meter } from "../print/progress.ts";
import { type AllowedPlaces, allowPlaces } from "./allowed-places.ts";
import { messageOf } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { Cli } from "../cli.ts";
import { printLines } from "../print/output.ts";

/** Everything that tools work with; all clients of a server share one. */
export interface Session {
  readonly services: Services;
  readonly engine: Engine;
  /** Path or URI. */
  readonly recordingsPrefix: string;
  readonly places: AllowedPlaces;
  /** Where batch files may be. */
  readonly batchPlaces: AllowedPlaces;
  readonly runs: RunHost;
  readonly audit: Audit;
  /** What a run here was warned of, newest last. */
  warningsOf(id: string): readonly string[];
  /** How fast each run that was looked at goes, by id. */
  readonly meters: Map<string, Meter>;
  /** Everything short of running, where this server's runs go; see `makePlan`. */
  plan(read: BatchParts, choice: PlanChoice): Promise<Plan>;
}

const warningsKept = 5;
// A plan is read by a model.
const shortLists = { sampleSize: 2, listSize: 5 };

/** A session and how it is left. */
export interface OpenSession extends Session {
  /** Drains the runs that go here, says on standard error how to continue each, and closes the engine. */
  close(): Promise<void>;
}

/** What an assistant may use besides what its server stands on. */
export interface SessionOptions {
  /** Places beside the working directory that may be read and written. */
  readonly allowed: readonly string[];
  /** Folders that batch files may be read from. */
  readonly batchFolders: readonly string[];
}

/** Opens what tools work with; who opens it closes it. */
export async function openSession(cli: Cli, { allowed, batchFolders }: SessionOptions): Promise<OpenSession> {
  const { io } = cli;
  const baseDirectory = io.workingDirectory;
  const limits = { mayFollow: async (uri: string) => (await places.allows(uri)) || batchPlaces.allows(uri) };
  const wiring = await cli.wire(limits);
  const { services, dataDirectory, recordingsPrefix, registries } = wiring;
  // Journal and token; code and templates.
  const never = [dataDirectory, ...registries];
  const places = allowPlaces({ allowed: [baseDirectory, ...allowed], never, baseDirectory, option: "--allow" });
  const batchPlaces = allowPlaces({ allowed: batchFolders, never, baseDirectory, option: "--allow-batch" });
  const engine = await cli.openEngine(undefined, wiring);
  const warnings = new Map<string, readonly string[]>();
  const runs = createRunHost(engine, {
    onEvent: ({ id }, event) => {
      if (event.type !== "warning") return;
      warnings.set(id, [...(warnings.get(id) ?? []), event.message].slice(-warningsKept));
    },
    onBroken: ({ id }, error) => void io.stderr.write(`Run ${id} ended with an error: ${messageOf(error)}\n`),
  });
  return {
    services,
    engine,
    recordingsPrefix,
    places,
    batchPlaces,
    audit: openAudit({ dataDirectory, clock: services.clock, stderr: io.stderr }),
    runs,
    warningsOf: (id) => warnings.get(id) ?? [],
    meters: new Map(),
    plan: (read, choice) =>
      makePlan(wiring, read, { ...shortLists, ...choice, aws: cli.engine() === "aws" ? {} : undefined }),
    close: async () => {
      const drained = await runs.drain();
      await engine.close();
      await printLines(
        io.stderr,
        drained.map((run) => describeEnd(cli, run)),
      );
    },
  };
}

function describeEnd(cli: Cli, { id, status, counts }: Run): string {
  const final = `${counts.succeeded + counts.failed} of ${counts.total} rows are final`;
  const next =
    status === "succeeded" ? "" : ` ${cli.suggestion(`resume ${id}`)} continues it, as does the tool resume_run.`;
  return `Run ${id} is ${status}: ${final}.${next}`;
}
