import type { AgentDefinition } from "../../core/agent.ts";
import type { Attempt } from "../../core/attempt.ts";
import { RowcallError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { takeOutput } from "../../core/take-output.ts";
import { joinUri } from "../../core/uri.ts";
import { createExtractor, type ExtractOutput } from "../../attempt/extract.ts";
import type { AnswerSource } from "../../attempt/attempt-answer.ts";
import type { RunRecord } from "../../runs/journal.ts";
import { openRows } from "./open-rows.ts";
import { runFiles, type RunReference } from "./run-folder.ts";
import type { StagedRun } from "./staged-run.ts";

/** Notes attempts that decided rows. */
export async function gather({ journal, run }: StagedRun, found: AsyncIterable<readonly Attempt[]>): Promise<void> {
  for await (const attempts of found) {
    journal.importAttempts(
      run.seq,
      attempts.map((attempt) => ({ attempt, decides: true, weight: 1 })),
    );
  }
  journal.recount(run.seq);
}

/**
 * Notes the failures of rows whose input is wrong, which never were in the map. Whatever else is missing from a map that was cut off
 * is pending.
 *
 * @param whole - the run, when its map says something of every row that it was given
 */
export async function refuse(staged: StagedRun, whole?: RunReference): Promise<void> {
  const { journal, run } = staged;
  for await (const rows of openRows(staged)) {
    const refused = rows.flatMap(({ row, number, failure }) => {
      if (failure === undefined) return [];
      const at = run.createdAt;
      const attempt = { row, number, startedAt: at, endedAt: at, outcome: failure, steps: [], artifacts: [] };
      return [{ attempt, decides: true, weight: 1 }];
    });
    journal.importAttempts(run.seq, refused);
    if (whole !== undefined && refused.length < rows.length) {
      const [missing] = rows.filter(({ failure }) => failure === undefined);
      throw new RowcallError("UNEXPECTED", `The map of run ${run.id} says nothing of row ${missing?.row}`, {
        hint: `Look at the result files under ${joinUri(whole.uri, runFiles.results)}.`,
      });
    }
  }
  journal.recount(run.seq);
}

/** Writes down what decided each row, for runs that go on with this one. */
export async function writeAttempts(store: ObjectStore, staged: StagedRun, { uri }: RunReference): Promise<void> {
  const contentType = "application/jsonl";
  await store.write(joinUri(uri, runFiles.attempts), attemptLines(staged), { contentType });
}

async function* attemptLines({ journal, run, table, selection }: StagedRun): AsyncGenerator<Uint8Array> {
  for await (const block of table.blocks(selection)) {
    const results = journal.results(run.seq, block.first, block.last);
    for (let row = block.first; row <= block.last; row += 1) {
      const attempt = results(row);
      if (attempt?.row === row) yield Buffer.from(`${JSON.stringify(attempt)}\n`);
    }
  }
}

/** Whose answers a run's executions give. */
export function answerSource(store: ObjectStore, { agent, recordingsUri }: RunRecord): AnswerSource {
  return { extract: extractorOf(agent), store, recordingsUri };
}

/** Finds structured output in replies. Agents that Step Functions itself calls may keep it elsewhere in them; browser agents never do. */
function extractorOf(agent: AgentDefinition): ExtractOutput {
  const extract = createExtractor(agent);
  const { output, function: name } = agent.config;
  if (typeof output !== "string") return extract;
  const whose =
    agent.kind === "lambda"
      ? `the function ${typeof name === "string" ? name : ""}`
      : `the state machine of agent ${agent.agent_name}`;
  return (reply) => extract(takeOutput(output, reply as JsonValue, whose));
}
