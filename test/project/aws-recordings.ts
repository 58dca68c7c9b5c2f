import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Recordings of AWS's own answers, beside the checkout where somebody has them. */
export const recordingsFolder: string = fileURLToPath(new URL("../../../shared/aws-recordings/", import.meta.url));

/** Whether there are recordings on this machine. */
export const hasRecordings: boolean = existsSync(recordingsFolder);

/** What was recorded of one case, by the name of the answer. */
export type Recorded = Readonly<Record<string, unknown>>;

/** Reads the cases of one file that are known to come from AWS itself, by the last part of their id. */
export async function readRecordings(file: string): Promise<ReadonlyMap<string, Recorded>> {
  const read = async <T>(kind: string): Promise<Record<string, T>> =>
    JSON.parse(await readFile(`${recordingsFolder}${file}.${kind}.json`, "utf8")) as Record<string, T>;
  const cases = await read<{ "recorded-content": Recorded }>("snapshot");
  const confirmed = await read<unknown>("validation");
  return new Map(
    Object.entries(cases)
      .filter(([id]) => Object.hasOwn(confirmed, id))
      .map(([id, recorded]) => [id.slice(id.lastIndexOf("::") + 2), recorded["recorded-content"]]),
  );
}

// What AWS has added since the recordings were made.
const addedSince = new Set(["redriveCount", "redriveDate", "failuresNotRedrivable", "pendingRedrive"]);
// What must be equal and not only be there: words that Step Functions chooses.
const words = new Set(
  "type status redriveStatus redriveStatusReason level truncated included reverseOrder enabled includeExecutionData Code id previousEventId length total pending running succeeded failed timedOut aborted resultsWritten maxConcurrency toleratedFailureCount toleratedFailurePercentage redriveCount".split(
    " ",
  ),
);

/**
 * Fails unless an answer has the members of the recorded one, no others but those added since, and the same words in them.
 * Names, times and ARNs differ, and so do inputs, outputs and definitions, which recordings hold as parsed JSON.
 */
export function assertAlike(recorded: unknown, ours: unknown, path = ""): void {
  const key = path.slice(path.lastIndexOf(".") + 1);
  if (/^(?:input|output|definition|parameters)$/.test(key)) {
    assert.equal(typeof ours, "string", path);
  } else if (Array.isArray(recorded)) {
    assert.ok(Array.isArray(ours), path);
    assert.equal(ours.length, recorded.length, path);
    recorded.forEach((item, index) => assertAlike(item, (ours as unknown[])[index], `${path}[${index}]`));
  } else if (typeof recorded === "object" && recorded !== null) {
    assert.ok(typeof ours === "object" && ours !== null, path);
    const { ResponseMetadata: _, ...theirs } = recorded as Record<string, unknown>;
    const here = Object.keys(ours).filter((name) => !addedSince.has(name) || Object.hasOwn(theirs, name));
    assert.deepEqual(here.toSorted(), Object.keys(theirs).toSorted(), path);
    for (const [name, value] of Object.entries(theirs))
      assertAlike(value, (ours as Record<string, unknown>)[name], `${path}.${name}`);
  } else if (/message$|^Message$|^exception/.test(key)) {
    assert.equal(withoutArns(String(ours)), withoutArns(String(recorded)), path);
  } else if (words.has(key)) {
    assert.equal(ours, recorded, path);
  } else {
    assert.equal(typeof ours, /date|timestamp/i.test(key) ? "number" : typeof recorded, path);
  }
}

function withoutArns(text: string): string {
  return text
    .replace(/'(?:arn:[^']*|activity_arn|\w*nonexistent_arn|invalid_execution_arn)'/g, "'ARN'")
    .replace(/Value '\S{200,}'|Value '<invalid_token_\d+_chars>'/, "Value 'LONG'");
}
