import { join } from "node:path";

/** Where one attempt outside a run keeps its artifacts: a folder of its own beside those of runs. */
export function recordingsFolder(dataDirectory: string, command: "plan" | "try", at: number): string {
  const stamp = new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return join(dataDirectory, "recordings", `${command}-${stamp}`);
}
