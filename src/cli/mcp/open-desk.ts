import { createRunHost } from "../../app/run-host.ts";
import { messageOf } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { Cli } from "../cli.ts";
import { openAudit } from "../open-audit.ts";
import { measureEarlierRows } from "../measure-rows.ts";
import { printLines } from "../output.ts";
import { allowPlaces } from "./allowed-places.ts";
import type { Desk } from "./desk.ts";

const warningsKept = 5;

/** A desk and how it is left. */
export interface OpenDesk extends Desk {
  /** Drains the runs that go here, says on standard error how each can be gone on with, and closes the engine. */
  close(): Promise<void>;
}

/** What an assistant may use besides what its server stands on. */
export interface DeskOptions {
  /** Places beside the working directory that may be read and written. */
  readonly allowed: readonly string[];
  /** Folders that batch files may be read from. */
  readonly batchFolders: readonly string[];
}

/** Opens what tools work with; who opens it closes it. */
export async function openDesk(cli: Cli, { allowed, batchFolders }: DeskOptions): Promise<OpenDesk> {
  const { io } = cli;
  const baseDirectory = io.workingDirectory;
  const limits = { mayFollow: async (uri: string) => (await places.allows(uri)) || batchPlaces.allows(uri) };
  const { services, host, dataDirectory, recordingsPrefix, registries } = await cli.wire(limits);
  // Journal and token; code and templates.
  const never = [dataDirectory, ...registries];
  const places = allowPlaces({ allowed: [baseDirectory, ...allowed], never, baseDirectory, option: "--allow" });
  const batchPlaces = allowPlaces({ allowed: batchFolders, never, baseDirectory, option: "--allow-batch" });
  const engine = await cli.openEngine(undefined, limits);
  const warnings = new Map<string, readonly string[]>();
  const runs = createRunHost(engine, {
    onEvent: ({ id }, event) => {
      if (event.type !== "warning") return;
      warnings.set(id, [...(warnings.get(id) ?? []), event.message].slice(-warningsKept));
    },
    onBroken: ({ id }, error) => void io.stderr.write(`Run ${id} broke off: ${messageOf(error)}\n`),
  });
  return {
    services,
    host,
    engine,
    recordingsPrefix,
    places,
    batchPlaces,
    audit: openAudit({ dataDirectory, clock: services.clock, stderr: io.stderr }),
    runs,
    warningsOf: (id) => warnings.get(id) ?? [],
    meters: new Map(),
    measure: (agent) => measureEarlierRows(cli, dataDirectory, agent),
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
  const decided = `${counts.succeeded + counts.failed} of ${counts.total} rows are decided`;
  const goesOn = status === "succeeded" ? "" : ` ${cli.suggestion(`resume ${id}`)} goes on, or the tool resume_run.`;
  return `Run ${id} is ${status}: ${decided}.${goesOn}`;
}
