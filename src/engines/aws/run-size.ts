import { RowcallError } from "../../core/errors.ts";
import { quotas } from "./prices.ts";

/** What the functions take, rounded to the worse from `bench/prepare-finish.ts`, S3's way included. */
export const functionFigures = {
  startSeconds: 2,
  prepareRowsPerSecond: 100_000,
  finishRowsPerSecond: 12_000,
  /** As the deployment sets it. */
  memoryMb: 3008,
  /** On Finish's disk: the table and its journal. */
  diskBytesPerRow: 1050,
  /** In S3; rows are those of the broadband agent. */
  bytesPerRow: { table: 35, index: 16, items: 120, results: 950, attempts: 850, output: 240 },
} as const;

/** S3 takes larger objects in parts, and the map writes its results in files of as much. */
export const partBytes: number = 8 * 1024 * 1024;

/** What a run of so many rows comes to in files and in functions. */
export interface RunSizes {
  /** Bytes of the file that the map reads its rows from. */
  readonly itemsBytes: number;
  /** Files of results that the map writes. */
  readonly resultFiles: number;
  /** Seconds until the map has started the last row, at best. */
  readonly startSeconds: number;
  readonly prepareSeconds: number;
  readonly finishSeconds: number;
  /** Bytes on Finish's disk. */
  readonly diskBytes: number;
}

/** What a run of so many rows comes to, for rows as large as the broadband agent's. */
export function sizesOfRun(rows: number): RunSizes {
  const { startSeconds, prepareRowsPerSecond, finishRowsPerSecond, diskBytesPerRow, bytesPerRow } = functionFigures;
  return {
    itemsBytes: rows * bytesPerRow.items,
    resultFiles: Math.ceil((rows * bytesPerRow.results) / partBytes),
    startSeconds: rows / quotas.mapStartsPerSecond,
    prepareSeconds: startSeconds + rows / prepareRowsPerSecond,
    finishSeconds: startSeconds + rows / finishRowsPerSecond,
    diskBytes: rows * diskBytesPerRow,
  };
}

/** Most rows of one run: with more, Finish would come near the limits of a function, after all had been spent. */
export const mostRows = 7_000_000;

/**
 * Refuses a run before it costs anything whose results Finish could not put together.
 *
 * @throws RowcallError BATCH_INVALID
 */
export function requireRunSize(rows: number): void {
  if (rows <= mostRows) return;
  throw new RowcallError("BATCH_INVALID", `The batch has ${rows} rows, and a run on AWS takes ${mostRows} at most`, {
    hint: `Run it in parts: "rowcall": {"rows": [[0, ${mostRows - 1}]]} in the execution's input, and the rest in others.`,
  });
}
