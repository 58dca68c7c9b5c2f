import type { Services } from "../../core/services.ts";

/** What a batch processor's functions stand on. */
export interface FunctionSetup {
  readonly services: Services;
  /** Prefix of all runs: `s3://bucket/runs/`. */
  readonly runsUri: string;
  /** Prefix of recordings when a batch names none. */
  readonly recordingsPrefix: string;
  /** State machine of browser agents when a batch names none. */
  readonly agentMachineArn?: string;
  /** How long a row may wait for a worker, in seconds. */
  readonly workerWaitSeconds: number;
  /** Folder on the local disk, emptied afterwards. */
  readonly workDirectory: string;
}
