import type { Command } from "commander";
import { RowcallError } from "../../core/errors.ts";
import type { Catalog } from "../../core/registry.ts";
import type { PublicationStatus } from "../../core/template.ts";
import type { Wiring } from "../../app/wire.ts";
import type { Cli } from "../cli.ts";
import type { OpenedRegistry } from "../open-registry.ts";
import { write } from "../io.ts";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLines, printTable, printWarnings } from "../print/output.ts";
import type { CatalogCommands } from "./catalog-command-kind.ts";
import { jsonLine } from "../print/terminal.ts";

interface JsonOption {
  readonly json?: true;
}

const statusCommands = [
  {
    verb: "deprecate",
    status: "deprecated",
    about: "keep a version for those who name it, and no longer find it by name",
  },
  { verb: "archive", status: "archived", about: "let a version be found no more, even by those who name it" },
  { verb: "activate", status: "active", about: "let a version be found by name again" },
] as const satisfies readonly { verb: string; status: PublicationStatus; about: string }[];

/** Adds the commands for one kind of document; list when nothing is said. */
export function addCatalogCommands<T>(command: Command, cli: Cli, face: CatalogCommands<T>): void {
  const { noun, example } = face;
  const file = `${example.replace("@", "_v")}.json`;
  const open = async (): Promise<{ wiring: Wiring; opened: OpenedRegistry; catalog: Catalog<T> }> => {
    const wiring = await cli.wire();
    const { openRegistry } = await import("../open-registry.ts");
    const opened = openRegistry(wiring);
    return { wiring, opened, catalog: face.catalog(opened.registry) };
  };
  const read = async (path: string): Promise<T> => {
    const { services } = await cli.wire();
    return face.validate(await readFileValue(services.store, path, noun), `${noun} file ${path}`);
  };

  command
    .command("list", { isDefault: true })
    .description(`list every version of every ${noun}`)
    .addOption(jsonOption(`the ${noun}s as one JSON array`))
    .allowExcessArguments()
    .action(async (options: JsonOption, list: Command) => {
      const [mistyped] = list.args;
      if (mistyped !== undefined) throw await unknownCommand(`${noun}s`, mistyped, command);
      const { opened, catalog } = await open();
      const documents = await catalog.list();
      if (options.json === true) await printJson(cli.io, documents);
      else if (documents.length === 0) await printLines(cli.io.stderr, [`There is no ${noun} in the registry.`]);
      else
        await printTable(
          cli.io,
          cli.io.stdout,
          face.head,
          documents.map((document) => face.cells(document)),
        );
      await printWarnings(cli.io, opened.problems);
    });
  command
    .command("show")
    .description(`show one ${noun}: the newest active version, or the one that is named`)
    .argument("<name[@version]>", `${noun} to show`)
    .addOption(jsonOption("it on one line"))
    .action(async (text: string, options: JsonOption) => {
      const [{ catalog }, { parseReference }] = await Promise.all([open(), import("../../core/registry.ts")]);
      const document = await catalog.resolve(parseReference(text));
      if (options.json === true) await printJson(cli.io, document);
      else await write(cli.io.stdout, jsonLine(document, 2));
    });
  command
    .command("validate")
    .description(`check ${noun} files`)
    .argument("<file...>", "JSON or YAML")
    .addOption(jsonOption("names and versions as one JSON array"))
    .action(async (paths: readonly string[], options: JsonOption) => {
      const valid: { file: string; name: string; version: string }[] = [];
      for (const path of paths) {
        const document = await read(path);
        valid.push({ file: path, name: face.nameOf(document), version: face.versionOf(document) });
      }
      if (options.json === true) return printJson(cli.io, valid);
      return printLines(
        cli.io.stdout,
        valid.map(({ file: path, name, version }) => `${path}: ${name}@${version} is valid`),
      );
    });
  command
    .command("publish")
    .description(`add a version to the registry; one that is there is never overwritten`)
    .argument("<file>", "JSON or YAML")
    .addOption(jsonOption("name, version and registry as one JSON object"))
    .action(async (path: string, options: JsonOption) => {
      const document = await read(path);
      const { catalog } = await open();
      const registry = await catalog.publish(document);
      const published = { name: face.nameOf(document), version: face.versionOf(document), registry };
      if (options.json === true) return printJson(cli.io, published);
      return printLines(cli.io.stdout, [`Published ${published.name}@${published.version} in ${published.registry}`]);
    });
  for (const { verb, status, about } of statusCommands) {
    command
      .command(verb)
      .description(about)
      .argument("<name@version>", `version of the ${noun}`)
      .addOption(jsonOption("name, version, status and registry as one JSON object"))
      .action(async (text: string, options: JsonOption) => {
        const [{ catalog }, { parseReference }] = await Promise.all([open(), import("../../core/registry.ts")]);
        const { name, version } = parseReference(text);
        if (version === undefined) {
          throw new RowcallError("USAGE_INVALID", `"${text}" names no version`, {
            hint: `Write it with its version: ${name}@1.0.0. \`rowcall ${noun}s\` lists them.`,
          });
        }
        const registry = await catalog.setStatus({ name, version }, status);
        if (options.json === true) return printJson(cli.io, { name, version, status, registry });
        return printLines(cli.io.stdout, [`${name}@${version} in ${registry} is ${status}`]);
      });
  }
  command
    .command("copy")
    .description(`copy ${noun}s to another registry: all, every version of a name, or one version`)
    .argument("[name[@version]...]", `${noun}s to copy (default: all but those that come with Rowcall)`)
    .requiredOption("--to <address>", "folder, s3:// prefix or dynamodb:TABLE to copy to")
    .addOption(jsonOption("what became of each as one JSON object"))
    .action(async (references: readonly string[], options: JsonOption & { readonly to: string }) => {
      const { copyCatalog } = await import("./copy-catalog.ts");
      await copyCatalog(cli, face, references, options.to, options.json === true);
    });
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
  const hint = suggest(
    mistyped,
    commands.map((command) => command.name()),
  );
  return new RowcallError("USAGE_INVALID", `There is no command "${parent} ${mistyped}"`, { hint });
}

async function readFileValue(
  store: Wiring["services"]["store"],
  path: string,
  noun: CatalogCommands<unknown>["noun"],
): Promise<unknown> {
  const { readDocument } = await import("../../core/read-document.ts");
  const [missing, invalid] =
    noun === "agent"
      ? (["AGENT_NOT_FOUND", "AGENT_INVALID"] as const)
      : (["TEMPLATE_NOT_FOUND", "TEMPLATE_INVALID"] as const);
  let bytes: Buffer;
  try {
    bytes = Buffer.concat(await Array.fromAsync(store.read(path)));
  } catch (cause) {
    if (!(cause instanceof RowcallError) || cause.code !== "STORE_NOT_FOUND") throw cause;
    throw new RowcallError(missing, `There is no ${noun} file ${path}`, { hint: "Check the path.", cause });
  }
  return readDocument(bytes.toString("utf8"), path, invalid, `${noun} file ${path}`);
}
