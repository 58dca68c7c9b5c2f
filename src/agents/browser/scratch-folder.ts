import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary folder. */
export interface ScratchFolder {
  readonly path: string;
  /** Deletes it with all that is in it; safe to call twice. */
  remove(): Promise<void>;
}

const folders = new Set<string>();

/** Makes a temporary folder that is gone at the latest when this process exits by itself. */
export async function makeScratchFolder(): Promise<ScratchFolder> {
  if (folders.size === 0) process.on("exit", removeAll);
  const path = await mkdtemp(join(tmpdir(), "rowcall-browser-"));
  folders.add(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      folders.delete(path);
      if (folders.size === 0) process.off("exit", removeAll);
    },
  };
}

function removeAll(): void {
  for (const path of folders) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}
