import { z } from "zod";
import { rowOrders, type RowQuery } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import { sendObject, streamOf } from "../send-object.ts";
import type { ServerContext } from "../server-setup.ts";
import { findRow } from "../find-row.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { errorCode, rowPage, rowReport, rowStatus, runParams } from "./schemas.ts";

const tag = "Rows";
const rowNumber = z.coerce.number().int().min(0);

/** Reads a run's rows, what they left behind, and its tables. */
export function rowOperations({ engine, store, downloads }: ServerContext): readonly Operation[] {
  const rowParams = runParams.extend({ row: rowNumber });

  return [
    defineOperation(
      {
        id: "listRows",
        method: "get",
        path: "/runs/{id}/rows",
        tag,
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
      },
      async ({ params: { id }, query }) => {
        const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
        return engine.page(id, given as unknown as RowQuery);
      },
    ),
    defineOperation(
      {
        id: "getRow",
        method: "get",
        path: "/runs/{id}/rows/{row}",
        tag,
        summary: "Everything about one row: cells, input, attempts with steps and recordings",
        params: rowParams,
        answer: rowReport,
        errors: ["RUN_NOT_FOUND", "ROW_NOT_FOUND"],
      },
      async ({ params: { id, row } }) => findRow(engine, id, String(row)),
    ),
    defineOperation(
      {
        id: "getRecording",
        method: "get",
        path: "/runs/{id}/rows/{row}/attempts/{number}/recordings/{name}",
        tag,
        summary: "A screenshot, video or trace of an attempt; ranges may be asked for",
        description: "Only what the attempt itself names is answered. Files that a browser could run are downloads.",
        params: rowParams.extend({ number: z.coerce.number().int().min(1), name: z.string().min(1) }),
        answer: { media: ["image/*", "video/*", "application/octet-stream"], description: "The file", isRanged: true },
        errors: ["RUN_NOT_FOUND", "ROW_NOT_FOUND", "STORE_NOT_FOUND"],
      },
      async ({ params: { id, row, number, name }, context }) => {
        const { attempts } = await findRow(engine, id, String(row));
        const artifacts = attempts.find((attempt) => attempt.number === number)?.artifacts ?? [];
        const artifact = artifacts.find((one) => one.name === name);
        if (artifact !== undefined) return sendObject(context, store, artifact);
        throw new RowcallError("ROW_NOT_FOUND", `Attempt ${number} of row ${row} left no recording "${name}"`, {
          hint: "The row itself lists what its attempts left.",
        });
      },
    ),
    defineOperation(
      {
        id: "downloadTable",
        method: "get",
        path: "/runs/{id}/table",
        tag,
        summary: "A run's table: as it is now, as it was written at the end, or only the rows that failed",
        params: runParams,
        query: z.object({
          which: z.enum(["now", "final", "failed"]).default("now"),
          format: z.enum(["csv", "jsonl"]).default("csv").describe("The final table has the format it was written in"),
        }),
        answer: { media: ["text/csv", "application/jsonl"], description: "The table, streamed" },
        errors: ["RUN_NOT_FOUND", "STORE_NOT_FOUND"],
      },
      async ({ params, query: { which, format }, context }) => {
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
        const stream = await downloads.open(format, (output) => engine.export(id, { output, format, failedOnly }));
        return context.body(stream, 200, headers(format));
      },
    ),
  ];
}
