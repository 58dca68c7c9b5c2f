import { randomUUID } from "node:crypto";
import type { TryChoice, TryResult } from "../app/try-row.ts";
import type { Workbench } from "../app/workbench.ts";
import type { Artifact } from "../core/attempt.ts";
import type { Batch } from "../core/batch.ts";
import { RowcallError } from "../core/errors.ts";

/** A row that was tried, with an id that leads to its recordings. */
export interface Tried extends TryResult {
  readonly id: string;
}

/** Tries rows outside of any run, and knows what they left behind as long as the server runs. */
export interface Tries {
  /** @throws RowcallError for anything wrong with batch or agent */
  make(batch: Batch, choice: TryChoice): Promise<Tried>;
  /** @throws RowcallError ROW_NOT_FOUND */
  recording(id: string, name: string): Artifact;
}

const triesKept = 200;

/** Creates the tries of a server; the newest 200 are remembered. */
export function createTries({ tryRow }: Workbench): Tries {
  const kept = new Map<string, readonly Artifact[]>();
  return {
    make: async (batch, choice) => {
      const id = randomUUID();
      const result = await tryRow(batch, choice);
      kept.set(id, result.attempt.artifacts);
      for (const oldest of [...kept.keys()].slice(0, -triesKept)) kept.delete(oldest);
      return { id, ...result };
    },
    recording: (id, name) => {
      const artifact = kept.get(id)?.find((one) => one.name === name);
      if (artifact !== undefined) return artifact;
      throw new RowcallError("ROW_NOT_FOUND", `Try ${id} left no recording "${name}"`, {
        hint: "Tries are forgotten when the server ends; their files stay in the data directory.",
      });
    },
  };
}
