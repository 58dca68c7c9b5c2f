import { z } from "zod";
import { rowOrders } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import { rowAndLine } from "../../core/row.ts";
import { findRow } from "../find-row.ts";
import { sendObject, streamOf } from "../send-object.ts";
import type { ServerContext } from "../server-setup.ts";
import { operation, type Operation } from "./operation.ts";
import { errorCode, recordingFile, rowPage, rowReport, rowStatus, runParams } from "./schemas.ts";

const rowParams = runParams.extend({ row: z.coerce.number().int().min(0) });

/** Reads a run's rows, what they left behind, and its tables. */
export function rowOperations({ engine, store, downloads, watch }: ServerContext): readonly Operation[] {
  return [
    operation({
      id: "listRows",
      route: "GET /runs/{id}/rows",
      summary: "A page of a run's rows: filtered, searched, ordered",
      description:
        "A search ends a page early, even an empty one, rather than take long: there is more as long as there is a `next`. In another order than by row, only rows that were attempted are listed.",
      params: runParams,
      query: z.object({
        status: rowStatus.optional(),
        code: errorCode.optional(),
        text: z.string().min(1).optional().describe("In any cell, output value or error message, in any case"),
        order: z.enum(rowOrders).default("row"),
        descending: z.stringbool().default(false),
        after: z.string().min(1).optional().describe("`next` of the page before"),
        limit: z.coerce.number().int().min(1).max(500).default(100),
      }),
      answer: rowPage,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params: { id }, query }) => engine.page(id, query),
    }),
    operation({
      id: "getRow",
      route: "GET /runs/{id}/rows/{row}",
      summary: "Everything about one row: cells, input, attempts with steps and recordings",
      params: rowParams,
      answer: rowReport,
      errors: ["RUN_NOT_FOUND", "ROW_NOT_FOUND"],
      handle: async ({ params: { id, row } }) => findRow(engine, id, String(row)),
    }),
    operation({
      id: "getRecording",
      route: "GET /runs/{id}/rows/{row}/attempts/{number}/recordings/{name}",
      summary: "A screenshot, video or trace of an attempt; ranges may be asked for",
      description: "Only what the attempt itself names is answered. Files that a browser could run are downloads.",
      params: rowParams.extend({ number: z.coerce.number().int().min(1), name: z.string().min(1) }),
      answer: recordingFile,
      errors: ["RUN_NOT_FOUND", "ROW_NOT_FOUND", "STORE_NOT_FOUND"],
      handle: async ({ params: { id, row, number, name }, context }) => {
        const { line, attempts } = await findRow(engine, id, String(row));
        const artifacts = attempts.find((attempt) => attempt.number === number)?.artifacts ?? [];
        const artifact = artifacts.find((one) => one.name === name);
        if (artifact !== undefined) return sendObject(context, store, artifact);
        const what = `Attempt ${number} of row ${rowAndLine(row, line)} left no recording "${name}"`;
        throw new RowcallError("ROW_NOT_FOUND", what, { hint: "The row itself lists what its attempts left." });
      },
    }),
    operation({
      id: "downloadTable",
      route: "GET /runs/{id}/table",
      summary: "A run's table: as it is now, as it was written at the end, or only the rows that failed",
      params: runParams,
      query: z.object({
        which: z.enum(["now", "final", "failed"]).default("now"),
        format: z.enum(["csv", "jsonl"]).default("csv").describe("The final table has the format it was written in"),
      }),
      answer: { media: ["text/csv", "application/jsonl"], description: "The table, streamed" },
      errors: ["RUN_NOT_FOUND", "STORE_NOT_FOUND"],
      handle: async ({ params, query: { which, format }, context }) => {
        const { id, outputUri } = await engine.describe(params.id);
        const headers = (extension: string): Record<string, string> => ({
          "Content-Type": extension === "jsonl" ? "application/jsonl" : "text/csv",
          "Content-Disposition": `attachment; filename="${id}${which === "failed" ? "-failed" : ""}.${extension}"`,
          "Cache-Control": "no-store",
        });
        if (which === "final") {
          const isThere = outputUri !== undefined && outputUri !== "-" && (await store.stat(outputUri)) !== undefined;
          if (isThere) return context.body(streamOf(store.read(outputUri)), 200, headers("csv"));
          throw new RowcallError("STORE_NOT_FOUND", `Run ${id} has no table that it has written, or it is gone`, {
            hint: "Ask for the table as it is now: which=now.",
          });
        }
        const failedOnly = which === "failed";
        const stream = await downloads.open(format, async (output) => {
          const { warnings } = await engine.export(id, { output, format, failedOnly });
          for (const warning of warnings) watch.tell(id, { type: "warning", ...warning });
        });
        return context.body(stream, 200, headers(format));
      },
    }),
  ];
}
