import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDataDirectory } from "../../runs/data-directory.ts";
import { privateFile, privateFolder } from "../../core/private-modes.ts";
import type { ExpectedObject } from "../../runs/output-uri.ts";

/** Where the output of a run on AWS goes on this machine. */
export interface LocalCopy {
  /** As the batch names it: a prefix, a file, or `-`. */
  readonly output: string;
  /** Whether a file that exists is replaced. */
  readonly force: boolean;
  /** What was about to be written when that was last tried. */
  readonly writing?: ExpectedObject;
  /** Where it was written. */
  readonly writtenTo?: string;
}

/** What this machine remembers of runs on AWS: a small file for each whose output is to come here. */
export interface LocalCopies {
  find(runId: string): Promise<LocalCopy | undefined>;
  note(runId: string, copy: LocalCopy): Promise<void>;
  forget(runId: string): Promise<void>;
}

/** Opens the memory in a data directory; nothing is made before something is noted. */
export function openLocalCopies(dataDirectory: string): LocalCopies {
  const directory = join(dataDirectory, "aws");
  const path = (runId: string): string => join(directory, `${runId}.json`);
  return {
    find: async (runId) => {
      try {
        return JSON.parse(await readFile(path(runId), "utf8")) as LocalCopy;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    note: async (runId, copy) => {
      makeDataDirectory(dataDirectory);
      await mkdir(directory, { recursive: true, mode: privateFolder });
      await writeFile(path(runId), JSON.stringify(copy), { mode: privateFile });
    },
    forget: (runId) => rm(path(runId), { force: true }),
  };
}
