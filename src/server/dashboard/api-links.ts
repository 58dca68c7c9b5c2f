import type { Artifact, Attempt } from "../../core/attempt.ts";
import type { Run } from "../../core/run.ts";
import type { Download } from "../../dashboard/run-page.ts";

const root = "/api/v1";

/** Where files are uploaded to. */
export const uploadsHref: string = `${root}/uploads`;

/** The stream of what happens in a run. */
export function runEventsHref(id: string): string {
  return `${root}/runs/${encodeURIComponent(id)}/events`;
}

/** What of a run can be downloaded as it stands. */
export function downloadLinks({ id, status, counts }: Run): readonly Download[] {
  if (counts.succeeded + counts.failed === 0) return [];
  const table = `${root}/runs/${encodeURIComponent(id)}/output`;
  return [
    { href: `${table}?format=csv`, label: status === "succeeded" ? "CSV" : "CSV so far" },
    { href: `${table}?format=jsonl`, label: status === "succeeded" ? "JSONL" : "JSONL so far" },
    ...(counts.failed === 0 ? [] : [{ href: `${table}?format=csv&failedOnly=true`, label: "Failed rows only" }]),
  ];
}

/** Where a file that an attempt left behind is handed out. */
export function artifactHref(run: string, { row, number }: Attempt, { name }: Artifact): string {
  return `${root}/runs/${encodeURIComponent(run)}/rows/${row}/attempts/${number}/artifacts/${encodeURIComponent(name)}`;
}
