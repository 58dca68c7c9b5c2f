import { Option, type Command } from "commander";
import type { ExportRequest } from "../../core/engine.ts";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { write } from "../io.ts";
import { declareEffects, replacesFile } from "../option-use.ts";
import { examples, jsonOption, runArgument } from "../options.ts";
import { printJson, printWarnings } from "../print/output.ts";

interface ExportOptions extends Pick<ExportRequest, "output" | "force"> {
  readonly format?: ExportRequest["format"];
  readonly mapping?: string;
  readonly json?: true;
}

/** `rowcall export`: writes a run's table again, also while the run is in flight. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .argument(...runArgument)
    .option("-o, --output <uri>", "prefix that ends in /, a file, or - for standard output", "-")
    .addOption(
      new Option("--format <format>", "how it is written (default: as the output's name says, else csv)").choices([
        "csv",
        "jsonl",
      ]),
    )
    .option("--mapping <file>", "another output mapping: a batch file, or a file with output_mapping alone")
    .option("--force", "replace an output file that exists")
    .addOption(jsonOption("where it was written, and the warnings, as one JSON object"));
  examples(command, [
    "rowcall export last > results.csv",
    "rowcall export last --output results.jsonl",
    "rowcall export last --mapping fewer-columns.yaml --output results/",
  ]);
  declareEffects(command, { "--force": [replacesFile] });
  command.action(async (text: string, { output, format, mapping, force, json }: ExportOptions) => {
    const [{ loadOutputMapping }, { outputFormat }, { services }] = await Promise.all([
      import("../../runs/load-batch.ts"),
      import("../../runs/output-uri.ts"),
      cli.wire(),
    ]);
    await using engine = await cli.openEngine();
    const { id } = await findRun(engine, text);
    const { uri: outputUri, warnings } = await engine.export(id, {
      output,
      format: format ?? outputFormat(output),
      outputMapping: mapping === undefined ? undefined : await loadOutputMapping(services, mapping),
      force,
    });
    if (json === true) {
      await printJson(cli.io, { outputUri, warnings }, outputUri);
      return;
    }
    await printWarnings(cli.io, warnings);
    if (outputUri !== "-") await write(cli.io.stdout, `${outputUri}\n`);
  });
}
