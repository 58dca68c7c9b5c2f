import { InvalidArgumentError, type Command } from "commander";
import { RowcallError } from "../core/errors.ts";
import { colorsFor, type Cli } from "./cli.ts";
import type { Io } from "./io.ts";
import { examples, jsonOption, wholeNumber } from "./options.ts";
import { printJson, printLines } from "./output.ts";
import type { EndpointOptions, RunningEndpoint } from "./serve/start-endpoint.ts";

interface ServeOptions {
  readonly awsEndpoint?: true;
  readonly port: number;
  readonly host: string;
  readonly stage: string;
  readonly accountId: string;
  readonly json?: true;
}

/** `rowcall serve`: answers the AWS command line and SDKs as AWS Step Functions would, until it is interrupted. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .option("--aws-endpoint", "answer as AWS Step Functions does, for the AWS command line and SDKs")
    .option("--port <number>", "port to listen at; 0 takes a free one", portNumber, 8083)
    .option("--host <name>", "name or address to listen at; any but this machine's own takes keys", "127.0.0.1")
    .option("--stage <name>", "ends the name of the state machine that runs batches", "prod")
    .option("--account-id <digits>", "account of every ARN", accountId, "123456789012")
    .addOption(jsonOption("address and ARNs as one JSON object, once requests are answered"));
  examples(command, [
    "rowcall serve --aws-endpoint",
    "rowcall serve --aws-endpoint --port 0 --stage dev --region eu-west-2",
    "aws stepfunctions list-state-machines --endpoint-url http://127.0.0.1:8083",
  ]);
  command.action(async ({ awsEndpoint, accountId: account, json, ...options }: ServeOptions) => {
    if (awsEndpoint === undefined) {
      throw new RowcallError("USAGE_INVALID", "serve does not know what to serve", {
        hint: "Add --aws-endpoint for the Step Functions endpoint.",
      });
    }
    const { startStepFunctionsEndpoint } = await import("./serve/start-endpoint.ts");
    const { region } = cli.globals();
    const engine = await cli.openEngine("local");
    try {
      const endpoint = await startStepFunctionsEndpoint({
        ...options,
        ...(region === undefined ? {} : { region }),
        account,
        ...keysOf(cli.io.env),
        wiring: await cli.wire(),
        engine,
      });
      const interrupted = interruption(cli.io);
      await announce(cli, endpoint, json === true);
      await interrupted;
      await printLines(cli.io.stderr, ["Rows in flight finish, no new one starts. Once more ends at once."]);
      await endpoint.close();
    } finally {
      await engine.close();
    }
  });
}

/** @throws RowcallError USAGE_INVALID when one of the two keys is missing */
function keysOf(env: Io["env"]): Pick<EndpointOptions, "keys"> {
  const [accessKeyId = "", secretAccessKey = ""] = [
    env["ROWCALL_ENDPOINT_ACCESS_KEY_ID"],
    env["ROWCALL_ENDPOINT_SECRET_ACCESS_KEY"],
  ];
  if (accessKeyId === "" && secretAccessKey === "") return {};
  if (accessKeyId !== "" && secretAccessKey !== "") return { keys: { accessKeyId, secretAccessKey } };
  throw new RowcallError("USAGE_INVALID", "Only one of the endpoint's two keys is set", {
    hint: "Set both ROWCALL_ENDPOINT_ACCESS_KEY_ID and ROWCALL_ENDPOINT_SECRET_ACCESS_KEY, or neither.",
  });
}

/** Settles at the first interrupt; the second one ends the process. */
function interruption(io: Io): Promise<void> {
  return new Promise((resolve) => {
    let many = 0;
    io.onInterrupt(() => {
      many += 1;
      if (many === 1) resolve();
      else io.exit(130);
    });
  });
}

async function announce(cli: Cli, endpoint: RunningEndpoint, json: boolean): Promise<void> {
  const { io } = cli;
  const { url, region, batchMachineArn } = endpoint;
  const { stateMachines, activities } = await endpoint.arns();
  if (json) return printJson(io, { url, region, stateMachines, activities });
  const { bold } = colorsFor(io, io.stdout);
  const input = `{"config_s3_uri": "batch.json", "input_csv_s3_uri": "rows.csv", "output_s3_prefix": "out/"}`;
  await printLines(io.stdout, [
    `Step Functions endpoint: ${bold(url)}`,
    "",
    "State machines:",
    ...stateMachines.map((arn) => `  ${arn}`),
    ...(activities.length === 0 ? [] : ["Activities:", ...activities.map((arn) => `  ${arn}`)]),
    "",
    "For example:",
    `  aws stepfunctions start-execution --endpoint-url ${url} --region ${region} \\`,
    `    --state-machine-arn ${batchMachineArn} \\`,
    `    --input '${input}'`,
  ]);
}

function portNumber(text: string): number {
  const port = wholeNumber(0)(text);
  if (port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a port: 0 to 65535.");
}

function accountId(text: string): string {
  if (/^\d{12}$/.test(text)) return text;
  throw new InvalidArgumentError("It must have twelve digits.");
}
