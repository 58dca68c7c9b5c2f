/** What stands in place of a run's id where one attempt outside a run keeps its recordings: `try-20251018-053000`. */
export function recordingsName(command: "plan" | "try", at: number): string {
  return `${command}-${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}`;
}
