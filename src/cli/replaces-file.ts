import { isOutputFile } from "../runs/output-uri.ts";
import type { NoEffect, Use } from "./option-use.ts";

/** When `--force` has an effect: where the output is a file, which may be there. */
export function replacesFile({ value, batch }: Use): NoEffect | undefined {
  const output = (value("--output") as string | undefined) ?? batch?.output;
  if (output === "-") return { why: "when the table goes to standard output", remedy: "name a file as --output" };
  if (output === undefined || isOutputFile(output)) return undefined;
  return {
    why: `when the output is the prefix ${output}, under which every table gets a new name`,
    remedy: "name a file as --output",
  };
}
