import { z } from "zod";
import { parseWith } from "./schema.ts";

/** Whether a version is offered: only `active` ones are found without naming the version. */
export type PublicationStatus = "active" | "draft" | "deprecated" | "archived";

/** A template as stored in a registry: what the registry needs of it; a browser agent reads the rest. */
export interface TemplateDocument {
  readonly template_id: string;
  /** Semantic, `1.2.3`. */
  readonly version: string;
  readonly status: PublicationStatus;
  readonly name?: string | undefined;
  readonly [key: string]: unknown;
}

const templateDocumentSchema = z.looseObject({
  template_id: z.string().min(1),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be a semantic version such as "1.0.0"'),
  status: z.enum(["active", "draft", "deprecated", "archived"]).default("active"),
  name: z.string().optional(),
});

/**
 * Reads as much of a template as a registry needs.
 *
 * @throws RowcallError TEMPLATE_INVALID
 */
export function parseTemplateDocument(value: unknown, what: string): TemplateDocument {
  return parseWith(templateDocumentSchema, value, "TEMPLATE_INVALID", what);
}
