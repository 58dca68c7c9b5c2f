import type { ExportRequest } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Services } from "../../core/services.ts";
import { freeOutputUri, isOutputFile } from "../output-uri.ts";
import { writeCsv, writeJsonl, type FinishSetup } from "./finish.ts";

/**
 * Writes a run's table to a new object; one that is there is replaced only when forced.
 *
 * @returns its URI
 * @throws RowcallError OUTPUT_EXISTS, STORE_DENIED, STORE_FAILED
 */
export async function writeOutput(
  { store, clock }: Services,
  source: Omit<FinishSetup, "mapping" | "fields" | "failedOnly">,
  request: ExportRequest,
): Promise<string> {
  const { output, format, failedOnly = false, force = false } = request;
  const { run } = source;
  const mapping = request.outputMapping ?? run.batch.outputMapping;
  const setup: FinishSetup = { ...source, mapping, failedOnly, fields: request.outputMapping?.fields ?? run.fields };
  const [write, contentType] =
    format === "csv" ? ([writeCsv, "text/csv"] as const) : ([writeJsonl, "application/jsonl"] as const);
  for (;;) {
    const uri = await freeOutputUri(store, output, format, clock(), force);
    try {
      await store.write(uri, write(setup), { contentType, ifAbsent: !force });
      return uri;
    } catch (error) {
      // Another run took the name meanwhile: under a prefix the next second is as good.
      const taken = error instanceof RowcallError && error.code === "OUTPUT_EXISTS" && !isOutputFile(output);
      if (!taken) throw error;
    }
  }
}
