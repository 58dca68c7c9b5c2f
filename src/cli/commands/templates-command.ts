import type { Command } from "commander";
import type { TemplateDocument } from "../../core/template.ts";
import type { Cli } from "../cli.ts";
import { addCatalogCommands } from "./catalog-commands.ts";

/** `rowcall templates`: looks after the browser agents' templates in the registry. */
export function defineCommand(command: Command, cli: Cli): void {
  addCatalogCommands<TemplateDocument>(command, cli, {
    noun: "template",
    example: "lookup_form@1.0.0",
    head: ["Template", "Version", "Status", "Name"],
    catalog: ({ templates }) => templates,
    cells: (template) => [template.template_id, template.version, template.status, template.name ?? ""],
    nameOf: (template) => template.template_id,
    versionOf: (template) => template.version,
    validate: async (value, what) => (await import("../../app/validate-documents.ts")).validateTemplate(value, what),
  });
}
