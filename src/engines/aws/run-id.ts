import { createHash } from "node:crypto";
import { createRunId } from "../../runs/new-run.ts";

/**
 * The id of the run that an execution does: the execution's name when that is an id already, else made of its start and its ARN, so that
 * everybody who knows the execution knows the run.
 *
 * @param startedAt - milliseconds since 1970, UTC
 */
export function runIdOf(executionArn: string, startedAt: number): string {
  const name = executionArn.slice(executionArn.lastIndexOf(":") + 1);
  if (/^\d{8}-\d{6}-[0-9a-z]{4}$/.test(name)) return name;
  const digest = createHash("sha256").update(executionArn).digest();
  return createRunId({ clock: () => startedAt, random: () => digest.readUInt32BE() / 2 ** 32 });
}
