import type { ExportRequest } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Services } from "../core/services.ts";
import { contentTypes, freeOutputUri, isOutputFile, outputFormat, requireNotInput } from "./output-uri.ts";
import { isThere, notedContent, type OutputMemory } from "./own-output.ts";
import { writeCsv, writeJsonl, type FinishSetup } from "./finish.ts";
import type { RunRecord } from "./journal.ts";

type Source = Omit<FinishSetup, "mapping" | "fields" | "failedOnly">;

/**
 * Writes a run's table to a new object; one that is there is replaced only when forced.
 *
 * @param memory - where a run notes its output: one that it wrote before it was cut off is replaced
 * @returns its URI
 * @throws RowcallError OUTPUT_EXISTS, STORE_DENIED, STORE_FAILED; USAGE_INVALID for an output that is the run's input
 */
export async function writeOutput(
  { store, clock }: Services,
  source: Source,
  request: ExportRequest,
  memory?: OutputMemory,
): Promise<string> {
  const { output, format, failedOnly = false, force = false } = request;
  const { run } = source;
  const mapping = request.outputMapping ?? run.batch.outputMapping;
  const setup: FinishSetup = { ...source, mapping, failedOnly, fields: request.outputMapping?.fields ?? run.fields };
  const write = format === "csv" ? writeCsv : writeJsonl;
  await requireNotInput(store, output, run.batch.inputUri);
  const expected = memory?.expected ?? null;
  const own = expected !== null && (await isThere(store, expected)) ? expected.uri : undefined;
  for (;;) {
    const uri = own ?? (await freeOutputUri(store, output, format, clock(), force));
    const content = memory === undefined ? write(setup) : notedContent(write(setup), uri, memory);
    try {
      await store.write(uri, content, { contentType: contentTypes[format], ifAbsent: !force && own === undefined });
      return uri;
    } catch (error) {
      // Another run took the name meanwhile: under a prefix the next second is as good.
      const taken = error instanceof RowcallError && error.code === "OUTPUT_EXISTS" && !isOutputFile(output);
      if (!taken) throw error;
    }
  }
}

/** A run's own table, as its batch asks for it. What the run has written before is replaced. */
export function outputRequest(run: RunRecord): ExportRequest {
  const { output = "" } = run.batch;
  return {
    output,
    format: outputFormat(output),
    force: run.request.force === true || run.outputUri === output,
  };
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
    throw new RowcallError(error.code, error.message, {
      hint:
        `Move that file away and go on with \`rowcall resume ${id}\`, or write the table elsewhere with ` +
        `\`rowcall export ${id} --output PLACE\`.`,
      cause: error,
    });
  }
}
