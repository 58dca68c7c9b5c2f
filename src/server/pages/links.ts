import type { Artifact, Attempt } from "../../core/attempt.ts";
import { apiRoot } from "../api/mount-api.ts";

/** Address of an operation of the API; each part is one step of the path, whatever is in it. */
export function apiHref(...steps: readonly (string | number)[]): string {
  return [apiRoot, ...steps.map(encodeURIComponent)].join("/");
}

/** Where a file that an attempt left behind is handed out. */
export type RecordingHref = (artifact: Artifact, attempt: Attempt) => string;

/** The files that attempts of a run left behind. */
export function recordingsOfRun(run: string): RecordingHref {
  return ({ name }, { row, number }) => apiHref("runs", run, "rows", row, "attempts", number, "recordings", name);
}

/** The files that a try left behind. */
export function recordingsOfTry(id: string): RecordingHref {
  return ({ name }) => apiHref("tries", id, "recordings", name);
}

/** The page of one version of an agent or a template; without a version, of the newest active one. */
export function catalogHref(catalog: "agents" | "templates", reference: string): string {
  return `/${catalog}/${encodeURIComponent(reference)}`;
}
