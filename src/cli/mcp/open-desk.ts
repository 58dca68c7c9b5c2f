import { carryRuns } from "../../core/carry-runs.ts";
import { messageOf } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { Cli } from "../cli.ts";
import { measureEarlierRows } from "../measure-rows.ts";
import { printLines } from "../output.ts";
import { printable } from "../printable.ts";
import { allowPlaces } from "./allowed-places.ts";
import type { Desk } from "./desk.ts";

const warningsKept = 5;

/** A desk and how it is left. */
export interface OpenDesk extends Desk {
  /** Drains the runs that go here, says on standard error how each can be gone on with, and closes the engine. */
  close(): Promise<void>;
}

/**
 * Opens what tools work with; who opens it closes it.
 *
 * @param allowed - places beside the working directory that may be read and written
 */
export async function openDesk(cli: Cli, allowed: readonly string[]): Promise<OpenDesk> {
  const { io } = cli;
  const { services, dataDirectory, recordingsPrefix } = await cli.wire();
  const engine = await cli.openEngine();
  const warnings = new Map<string, readonly string[]>();
  const runs = carryRuns({
    onEvent: ({ id }, event) => {
      if (event.type !== "warning") return;
      warnings.set(id, [...(warnings.get(id) ?? []), event.message].slice(-warningsKept));
    },
    onBroken: ({ id }, error) => void io.stderr.write(`Run ${id} broke off: ${printable(messageOf(error))}\n`),
  });
  return {
    services,
    engine,
    recordingsPrefix,
    places: allowPlaces([io.workingDirectory, ...allowed], io.workingDirectory),
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
