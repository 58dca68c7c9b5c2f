import { z } from "zod";

/** A column: its header, its headers from top to bottom, or its 1-based place after the row's name. */
export const columnSchema = z.union([z.string().min(1), z.array(z.string().min(1)).min(1), z.int().positive()]);

/** The features by which a table is the one that is meant. */
export const tableSchema = z.strictObject({
  /** Caption, heading or text that stands before the table, or one of its header cells. */
  title: z.string().min(1).optional(),
  /** Columns it must have; a table with others is another table. */
  columns: z.array(columnSchema).default([]),
  optional_columns: z.array(columnSchema).default([]),
  rows: z.array(z.string()).optional().describe("All rows it may have"),
  /** False when it may be missing. */
  required: z.boolean().default(true),
});

/** As {@link columnSchema} reads it. */
export type Column = z.infer<typeof columnSchema>;
/** As {@link tableSchema} reads it. */
export type TableShape = z.infer<typeof tableSchema>;
