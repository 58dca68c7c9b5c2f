import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import json5 from "json5";

const folder = fileURLToPath(new URL("../../../../shared/aws-recordings/", import.meta.url));

/** Whether the recordings of AWS are on this machine. */
export const haveRecordings: boolean = existsSync(folder);

/** What one test recorded: answers of AWS by name. */
export type Recording = Readonly<Record<string, unknown>>;

/**
 * Recordings of a file that AWS itself confirmed.
 *
 * @param file - `test_output`
 * @returns by class, test and parameters: `TestArgumentsBase::test_base_cases[BASE_EMPTY]`
 */
export function readRecordings(file: string): ReadonlyMap<string, Recording> {
  const snapshots = readJson(`${file}.snapshot.json`) as Record<string, { readonly "recorded-content": Recording }>;
  const validated = readJson(`${file}.validation.json`) as Record<string, unknown>;
  return new Map(
    Object.entries(snapshots)
      .filter(([id]) => Object.hasOwn(validated, id))
      .map(([id, snapshot]) => [id.slice(id.indexOf("::") + 2), snapshot["recorded-content"]]),
  );
}

/** A state machine that was recorded: `scenarios/map_state`. */
export function readTemplate(name: string): Record<string, unknown> {
  const [group, file] = name.split("/");
  return json5.parse<Record<string, unknown>>(
    readFileSync(`${folder}templates/${group}/statemachines/${file}.json5`, "utf8"),
  );
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(folder + name, "utf8"));
}
