import type { Artifact, Attempt } from "../../core/attempt.ts";
import type { Run } from "../../core/run.ts";
import type { Download } from "../pages/run-page.ts";
import { apiRoot } from "../api/mount-api.ts";
import type { AgentDefinition } from "../../core/agent.ts";
import { parseReference, type Registry } from "../../core/registry.ts";

/** Where files are uploaded to. */
export const uploadsHref: string = `${apiRoot}/uploads`;

/** The stream of what happens in a run. */
export function runEventsHref(id: string): string {
  return `${runHref(id)}/events`;
}

/** What of a run can be downloaded as it stands. */
export function downloadLinks({ id, status, outputUri, counts }: Run): readonly Download[] {
  if (counts.succeeded + counts.failed === 0) return [];
  const table = `${runHref(id)}/table`;
  const isDone = status === "succeeded";
  return [
    isDone && outputUri !== undefined
      ? { href: `${table}?which=final`, label: "CSV" }
      : { href: `${table}?which=now`, label: "CSV so far" },
    { href: `${table}?which=now&format=jsonl`, label: isDone ? "JSONL" : "JSONL so far" },
    ...(counts.failed === 0 ? [] : [{ href: `${table}?which=failed`, label: "Failed rows only" }]),
  ];
}

/** Where a file that an attempt of a run left behind is handed out. */
export function recordingHref(run: string, { row, number }: Attempt, { name }: Artifact): string {
  return `${runHref(run)}/rows/${row}/attempts/${number}/recordings/${encodeURIComponent(name)}`;
}

function runHref(id: string): string {
  return `${apiRoot}/runs/${encodeURIComponent(id)}`;
}

/** An agent by reference; undefined when the registry does not have it any more, for a run outlives its agent. */
export async function agentOf(
  { registry }: { readonly registry: Registry },
  reference: string,
): Promise<AgentDefinition | undefined> {
  return registry.agents.resolve(parseReference(reference)).catch(() => undefined);
}
