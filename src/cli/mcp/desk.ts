import type { Audit } from "../../app/audit.ts";
import type { RunHost } from "../../app/run-host.ts";
import type { Engine } from "../../core/engine.ts";
import type { Services } from "../../core/services.ts";
import type { Wiring } from "../../app/wire.ts";
import type { EarlierRows } from "../../app/estimate.ts";
import type { Meter } from "../progress.ts";
import type { AllowedPlaces } from "./allowed-places.ts";

/** Everything that tools work with; all clients of a server share one. */
export interface Desk {
  readonly services: Services;
  readonly host: Wiring["host"];
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
  /**
   * What rows of an agent took before.
   *
   * @param agent - `name@version`
   */
  measure(agent: string): Promise<EarlierRows | undefined>;
}
