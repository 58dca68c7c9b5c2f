import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { isAlive } from "../agents/left-behind.ts";
import { privateFile, privateFolder } from "../core/private-modes.ts";

/** A server that runs over a data directory. */
export interface Serving {
  /** `server` or `Step Functions endpoint`. */
  readonly what: string;
  readonly url: string;
  /** Whether other machines reach it. */
  readonly isExposed: boolean;
  /** Whether what is sent can be read on its way. */
  readonly isInClear: boolean;
}

const folderOf = (dataDirectory: string): string => join(dataDirectory, "serving");

/**
 * Notes for `rowcall doctor` that this process serves something.
 *
 * @returns takes the note back
 */
export async function noteServing(dataDirectory: string, serving: Serving): Promise<() => Promise<void>> {
  const path = join(folderOf(dataDirectory), `${process.pid}-${new URL(serving.url).port}.json`);
  await mkdir(folderOf(dataDirectory), { recursive: true, mode: privateFolder });
  await writeFile(path, JSON.stringify(serving), { mode: privateFile });
  return () => rm(path, { force: true });
}

/** What processes that are alive serve over a data directory. */
export async function listServing(dataDirectory: string): Promise<readonly Serving[]> {
  const folder = folderOf(dataDirectory);
  const found: Serving[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (!isAlive(Number.parseInt(name, 10))) await rm(path, { force: true }).catch(() => undefined);
    else found.push(JSON.parse(await readFile(path, "utf8")) as Serving);
  }
  return found;
}
