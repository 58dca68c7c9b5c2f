import type { Command } from "commander";
import { RowcallError } from "../../core/errors.ts";
import type { PublicationStatus } from "../../core/template.ts";
import type { CatalogActions } from "../catalog/catalog-actions.ts";
import type { Cli } from "../cli.ts";
import { examples, jsonOption } from "../options.ts";

interface JsonOption {
  readonly json?: true;
}

const statusCommands = [
  ["deprecate", "deprecated", "keep a version for those who name it, and no longer find it by name"],
  ["archive", "archived", "hide a version, even from those who name it"],
  ["activate", "active", "let a version be found by name again"],
] as const satisfies readonly (readonly [verb: string, status: PublicationStatus, about: string])[];

/** `rowcall agents`: looks after the agents in the registry. */
export const agents = {
  defineCommand: (command: Command, cli: Cli): void => addCatalogCommands(command, cli, "agent", "lookup@1.0.0"),
};

/** `rowcall templates`: looks after the browser agents' templates in the registry. */
export const templates = {
  defineCommand: (command: Command, cli: Cli): void =>
    addCatalogCommands(command, cli, "template", "lookup_form@1.0.0"),
};

/** Adds the commands for one kind of document; list when nothing is said. @param example - a reference for the help */
function addCatalogCommands(command: Command, cli: Cli, noun: "agent" | "template", example: string): void {
  const file = `${example.replace("@", "_v")}.json`;
  const open = async (): Promise<CatalogActions> =>
    (await import("../catalog/catalog-actions.ts")).openCatalogActions(cli, noun);

  command
    .command("list", { isDefault: true })
    .description(`list every version of every ${noun}`)
    .addOption(jsonOption(`the ${noun}s as one JSON array`))
    .allowExcessArguments()
    .action(async ({ json }: JsonOption, { args: [mistyped] }: Command) => {
      if (mistyped !== undefined) throw await unknownCommand(`${noun}s`, mistyped, command);
      await (await open()).list(json);
    });
  command
    .command("show")
    .description(`show one ${noun}: the newest active version, or the one that is named`)
    .argument("<name[@version]>", `${noun} to show`)
    .addOption(jsonOption("it on one line"))
    .action(async (reference: string, { json }: JsonOption) => (await open()).show(reference, json));
  command
    .command("validate")
    .description(`check ${noun} files`)
    .argument("<file...>", "JSON or YAML")
    .addOption(jsonOption("names and versions as one JSON array"))
    .action(async (paths: readonly string[], { json }: JsonOption) => (await open()).validate(paths, json));
  command
    .command("publish")
    .description(`add a version to the registry; one that is there is never overwritten`)
    .argument("<file>", "JSON or YAML")
    .addOption(jsonOption("name, version and registry as one JSON object"))
    .action(async (path: string, { json }: JsonOption) => (await open()).publish(path, json));
  for (const [verb, status, about] of statusCommands) {
    command
      .command(verb)
      .description(about)
      .argument("<name@version>", `version of the ${noun}`)
      .addOption(jsonOption("name, version, status and registry as one JSON object"))
      .action(async (reference: string, { json }: JsonOption) => (await open()).setStatus(reference, status, json));
  }
  command
    .command("copy")
    .description(`copy ${noun}s to another registry: all, every version of a name, or one version`)
    .argument("[name[@version]...]", `${noun}s to copy (default: all but those that come with Rowcall)`)
    .requiredOption("--to <address>", "folder, s3:// prefix or dynamodb:TABLE to copy to")
    .addOption(jsonOption("what became of each as one JSON object"))
    .action(async (references: readonly string[], { to, json }: JsonOption & { readonly to: string }) =>
      (await open()).copy(references, to, json),
    );
  examples(command, [
    `rowcall ${noun}s`,
    `rowcall ${noun}s show ${example}`,
    `rowcall ${noun}s validate ${file}`,
    `rowcall ${noun}s publish ${file} --registry ./registry`,
    `rowcall ${noun}s deprecate ${example}`,
    `rowcall ${noun}s copy --registry ./registry --to dynamodb:${noun === "agent" ? "Agent" : "Template"}Registry-prod`,
  ]);
}

// As the command that runs when nothing is said, list is also given what is mistyped.
async function unknownCommand(parent: string, mistyped: string, { commands }: Command): Promise<RowcallError> {
  const { suggest } = await import("../../core/schema.ts");
  const names = commands.map((command) => command.name());
  return new RowcallError("USAGE_INVALID", `There is no command "${parent} ${mistyped}"`, {
    hint: suggest(mistyped, names),
  });
}
