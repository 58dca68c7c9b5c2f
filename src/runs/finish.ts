import type { ExportRequest, WrittenTable } from "../core/engine.ts";
import type { OutputMapping } from "../core/batch.ts";
import { parseJson, setOwn, type JsonValue } from "../core/json.ts";
import { createEnricher, type Cell, type Enricher } from "../table/enrich.ts";
import { createTableWriter, surplusNames } from "../table/write.ts";
import type { RunRecord } from "./journal.ts";
import type { OpenRun } from "./open-run.ts";
import type { StagedTable } from "../table/staging.ts";
import { RowcallError, type Warning } from "../core/errors.ts";
import type { Services } from "../core/services.ts";
import {
  contentTypes,
  freeOutputUri,
  isOutputFile,
  outputFormat,
  requireNotInput,
  isThere,
  notedContent,
  type OutputMemory,
} from "./output-uri.ts";

interface FinishSetup extends OpenRun {
  /** The batch's, or another one for an export. */
  readonly mapping: OutputMapping;
  readonly fields: readonly string[];
  /** Only the rows that failed. */
  readonly failedOnly: boolean;
  /** Takes what who reads the table should know. */
  readonly warnings: Warning[];
}

const chunkLength = 256 * 1024;

/**
 * The output table as bytes, in input order, from the journal alone: rows not decided yet are `PENDING`.
 *
 * @throws RowcallError COLUMN_COLLISION
 */
async function* writeCsv(setup: FinishSetup): AsyncGenerator<Uint8Array> {
  const { journal, run, table, mapping } = setup;
  const { staged } = run;
  const enricher = enricherOf(setup);
  const writer = createTableWriter({
    dialect: staged.dialect,
    includeOriginal: mapping.includeOriginal,
    formulaSafe: mapping.formulaSafe,
    width: staged.width,
  });
  const names = enricher.columns.map((text) => ({ text, isString: false }));
  writer.header({ bytes: await table.header(), width: staged.header.length, cells: names });
  for await (const block of table.blocks(setup.selection)) {
    const results = journal.results(run.seq, block.first, block.last);
    for (const { index, width, bytes } of block.slices()) {
      const attempt = results(index);
      if (setup.failedOnly && attempt?.outcome.status !== "failed") continue;
      const cells = enricher.enrichRow(attempt === undefined ? { row: index } : { row: index, attempt });
      writer.record({ bytes, width, cells });
      for (let chunk = writer.take(); chunk !== undefined; chunk = writer.take()) yield chunk;
    }
  }
  // Also of a table without rows.
  if ((setup.selection.at(-1)?.[1] ?? -1) === staged.rows - 1) writer.trailer(await table.trailer());
  yield writer.take(true) ?? Buffer.alloc(0);
  warnOfUnseen(setup, enricher);
  if (writer.lost.size > 0) {
    setup.warnings.push({
      message: `${staged.dialect.encoding} lacks ${[...writer.lost].slice(0, 10).join(" ")}: written as ?`,
      hint: "Save the input as UTF-8 and export again to keep every character.",
    });
  }
  if (writer.hasHalves()) {
    setup.warnings.push({
      message: "An answer holds half of a character (a lone surrogate): written as \ufffd",
      hint: "Something cut a text in the middle of an emoji. JSON Lines keep it as it is: rowcall export.",
    });
  }
}

/**
 * The output as JSON Lines: original cells as text by column, then the new columns with their JSON types. Columns that share a
 * name get a number.
 */
async function* writeJsonl(setup: FinishSetup): AsyncGenerator<Uint8Array> {
  const { journal, run, table, mapping } = setup;
  const enricher = enricherOf(setup);
  const keys = originalKeys(run.staged, enricher.columns);
  for await (const block of table.blocks(setup.selection)) {
    const results = journal.results(run.seq, block.first, block.last);
    let lines: string[] = [];
    let length = 0;
    for (const { index, cells } of block.rows()) {
      const attempt = results(index);
      if (setup.failedOnly && attempt?.outcome.status !== "failed") continue;
      const added = enricher.enrichRow(attempt === undefined ? { row: index } : { row: index, attempt });
      const record: Record<string, JsonValue> = {};
      if (mapping.includeOriginal) keys.forEach((key, i) => setOwn(record, key, cells[i] ?? ""));
      enricher.columns.forEach((name, i) => setOwn(record, name, valueOf(added[i])));
      const line = `${JSON.stringify(record)}\n`;
      lines.push(line);
      length += line.length;
      if (length < chunkLength) continue;
      yield Buffer.from(lines.join(""), "utf8");
      [lines, length] = [[], 0];
    }
    yield Buffer.from(lines.join(""), "utf8");
  }
  warnOfUnseen(setup, enricher);
}

function originalKeys({ header, width }: StagedTable, added: readonly string[]): string[] {
  const keys: string[] = [];
  const taken = new Set(added);
  for (const name of header) {
    let key = name;
    for (let n = 2; taken.has(key); n += 1) key = `${name}_${n}`;
    taken.add(key);
    keys.push(key);
  }
  return [...keys, ...surplusNames(width - header.length, taken)];
}

function valueOf(cell: Cell | undefined): JsonValue {
  if (cell === undefined || cell.text === "") return cell?.isString === true ? "" : null;
  return cell.isString ? cell.text : parseJson(cell.text);
}

function enricherOf({ run, mapping, fields }: FinishSetup): Enricher {
  return createEnricher({
    mapping,
    fields,
    header: run.staged.header,
    agentVersion: run.agent.version,
    anyFailed: run.failed > 0,
  });
}

function warnOfUnseen(setup: FinishSetup, enricher: Enricher): void {
  if (setup.run.succeeded === 0) return;
  for (const field of enricher.unseenFields()) {
    setup.warnings.push({
      message: `Field ${field} not found in structured output`,
      hint: "Field names are case-sensitive: compare the batch's structured_output_fields with the agent's output_fields.",
    });
  }
}

/**
 * Writes a run's table to a new object; one that is there is replaced only when forced.
 *
 * @param memory - where a run notes its output: one that it wrote before it was cut off is replaced
 * @throws RowcallError OUTPUT_EXISTS, STORE_DENIED, STORE_FAILED; USAGE_INVALID for an output that is the run's input
 */
export async function writeOutput(
  { store, clock }: Services,
  open: OpenRun,
  request: ExportRequest,
  memory?: OutputMemory,
): Promise<WrittenTable> {
  const { output, format, failedOnly = false, force = false } = request;
  const { batch } = open.run;
  const mapping = request.outputMapping ?? batch.outputMapping;
  const fields = request.outputMapping?.fields ?? open.run.fields;
  const write = format === "csv" ? writeCsv : writeJsonl;
  await requireNotInput(store, output, batch.inputUri);
  const expected = memory?.expected ?? null;
  const own = expected !== null && (await isThere(store, expected)) ? expected.uri : undefined;
  for (;;) {
    const uri = own ?? (await freeOutputUri(store, output, format, clock(), force));
    const warnings: Warning[] = [];
    const table = write({ ...open, mapping, fields, failedOnly, warnings });
    const content = memory === undefined ? table : notedContent(table, uri, memory);
    try {
      await store.write(uri, content, { contentType: contentTypes[format], ifAbsent: !force && own === undefined });
      return { uri, warnings };
    } catch (error) {
      // Another run took the name meanwhile: under a prefix the next second is as good.
      const taken = error instanceof RowcallError && error.code === "OUTPUT_EXISTS" && !isOutputFile(output);
      if (!taken) throw error;
    }
  }
}

/** A run's own table, as its batch asks for it. What the run has written before is replaced. */
export function outputRequest({ batch: { output }, request, outputUri }: RunRecord): ExportRequest {
  return { output, format: outputFormat(output), force: request.force === true || outputUri === output };
}

/**
 * Makes sure, before rows are spent, that a run can write its output when they have been.
 *
 * @throws RowcallError OUTPUT_EXISTS when it is there and neither the run's own nor to be replaced; USAGE_INVALID
 */
export async function requireFreeOutput({ store, clock }: Services, run: RunRecord): Promise<void> {
  const { output, format, force = false } = outputRequest(run);
  await requireNotInput(store, output, run.batch.inputUri);
  if (run.writing !== null && (await isThere(store, run.writing))) return;
  await freeOutputUri(store, output, format, clock(), force);
}

/** Says what can be done about an output that is taken when the run has begun: its options cannot be given again. */
export async function explainTaken<T>(id: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RowcallError) || error.code !== "OUTPUT_EXISTS") throw error;
    throw error.withHint(
      `Move that file away and go on with \`rowcall resume ${id}\`, or write the table elsewhere with ` +
        `\`rowcall export ${id} --output PLACE\`.`,
    );
  }
}
