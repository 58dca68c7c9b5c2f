import type { PlanCheck } from "../../app/check.ts";
import { colorsFor } from "../cli.ts";
import type { Io } from "../io.ts";
import { hintLines, oneLine } from "./output.ts";

/** What a check found. */
export type Finding = Omit<PlanCheck, "id" | "title">;

const signs = { passed: "✓", failed: "✗", warning: "!", skipped: "-" } as const;

/** Checks as lines for standard output: a sign, the title, what was found, and hints for what is to be done. */
export function checkLines(io: Io, checks: readonly PlanCheck[]): readonly string[] {
  const colors = colorsFor(io, io.stdout);
  const paint = { passed: colors.green, failed: colors.red, warning: colors.yellow, skipped: colors.dim } as const;
  return checks.flatMap(({ title, status, detail, hint, problems = [{ path: "", message: detail, hint }] }) => {
    const head = `${paint[status](signs[status])} ${title}`;
    if (status === "passed") return [`${head}: ${colors.dim(oneLine(detail))}`];
    const found = problems.flatMap(({ path, message, hint: advice }) => [
      `    ${oneLine([path, message].filter(Boolean).join(": "))}`,
      ...hintLines(io, io.stdout, advice && oneLine(advice), "    "),
    ]);
    return [head, ...found];
  });
}

/** How many checks ended how: `12 passed, 1 failed, 2 skipped`. */
export function countChecks(checks: readonly Pick<PlanCheck, "status">[]): string {
  const words = { passed: "passed", failed: "failed", warning: "to look at", skipped: "skipped" } as const;
  return Object.entries(words)
    .map(([status, word]) => ({ many: checks.filter((check) => check.status === status).length, word }))
    .filter(({ many }) => many > 0)
    .map(({ many, word }) => `${many} ${word}`)
    .join(", ");
}
