import type { ObjectStore } from "../core/object-store.ts";
import { joinUri } from "../core/uri.ts";
import type { AttemptSetup } from "./run-attempt.ts";

/** Where one attempt keeps what it leaves behind: a folder of its own under the prefix, named by row and attempt. */
export function attemptFolder(prefix: string, row: number, attempt: number): string {
  return joinUri(prefix, `${row}-${attempt}`);
}

/** Keeps the files of attempts under a prefix, and replaces none. */
export function artifactSaver(store: ObjectStore, prefix: string): AttemptSetup["saveArtifact"] {
  return async (row, attempt, name, content, contentType) => {
    const uri = joinUri(attemptFolder(prefix, row, attempt), name);
    return (await store.write(uri, content, { contentType, ifAbsent: true })).uri;
  };
}
