import type { Problem } from "../core/schema.ts";
import { colorsFor } from "./cli.ts";
import type { Io } from "./io.ts";
import { oneLine } from "./output.ts";

/** Something that was checked, as it is shown. */
export interface ShownCheck {
  readonly title: string;
  readonly status: "passed" | "failed" | "warning" | "skipped";
  readonly detail: string;
  readonly hint?: string;
  /** When several things are wrong: each, with its own hint. */
  readonly problems?: readonly Problem[];
}

const signs = { passed: "✓", failed: "✗", warning: "!", skipped: "-" } as const;

/** Checks as lines for standard output: a sign, the title, what was found, and hints for what is to be done. */
export function checkLines(io: Io, checks: readonly ShownCheck[]): readonly string[] {
  const colors = colorsFor(io, io.stdout);
  const paint = { passed: colors.green, failed: colors.red, warning: colors.yellow, skipped: colors.dim } as const;
  return checks.flatMap(({ title, status, detail, hint, problems }) => {
    const head = `${paint[status](signs[status])} ${title}`;
    const found = (text: string, advice: string | undefined): string[] => [
      `    ${oneLine(text)}`,
      ...(advice === undefined ? [] : [`    ${colors.cyan("hint:")} ${oneLine(advice)}`]),
    ];
    if (status === "passed") return [`${head}: ${colors.dim(oneLine(detail))}`];
    if (problems === undefined) return [head, ...found(detail, hint)];
    return [
      head,
      ...problems.flatMap((problem) => found([problem.path, problem.message].filter(Boolean).join(": "), problem.hint)),
    ];
  });
}

/** How many checks ended how: `12 passed, 1 failed, 2 skipped`. */
export function countChecks(checks: readonly Pick<ShownCheck, "status">[]): string {
  return (["passed", "failed", "warning", "skipped"] as const)
    .map((status) => ({
      many: checks.filter((check) => check.status === status).length,
      word: status === "warning" ? "to look at" : status,
    }))
    .filter(({ many }) => many > 0)
    .map(({ many, word }) => `${many} ${word}`)
    .join(", ");
}
