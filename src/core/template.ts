import { z } from "zod";
import { parseWith } from "./schema.ts";

/** Whether a version is offered: only `active` ones are found without naming the version. */
export const publicationStatus = z.enum(["active", "draft", "deprecated", "archived"]);
/** One of {@link publicationStatus}. */
export type PublicationStatus = z.output<typeof publicationStatus>;

/** Version of an agent or a template: `1.2.3`. */
export const semanticVersion = z.string().regex(/^\d+\.\d+\.\d+$/, 'must be a semantic version such as "1.0.0"');

const templateDocumentSchema = z.looseObject({
  template_id: z.string().min(1),
  version: semanticVersion,
  status: publicationStatus.default("active"),
  name: z.string().optional(),
});

/** A template as stored in a registry: what the registry needs of it; a browser agent reads the rest. */
export type TemplateDocument = Readonly<z.output<typeof templateDocumentSchema>>;

/**
 * Reads as much of a template as a registry needs.
 *
 * @throws RowcallError TEMPLATE_INVALID
 */
export function parseTemplateDocument(value: unknown, what: string): TemplateDocument {
  return parseWith(templateDocumentSchema, value, "TEMPLATE_INVALID", what);
}
