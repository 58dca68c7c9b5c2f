import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { colorsFor, type Cli } from "../cli.ts";
import { drainingNote, hearInterrupts, type Io } from "../io.ts";
import { declareEffects, excludes, needs } from "../option-use.ts";
import { allowModuleOption, examples, jsonOption, listOf, portNumber, wholeNumber } from "../options.ts";
import { printJson, printLines, printWarnings } from "../print/output.ts";
import type { EndpointOptions, RunningEndpoint } from "../../server/stepfunctions/start-endpoint.ts";

interface ServeOptions {
  readonly awsEndpoint?: true;
  readonly port?: number;
  readonly host: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly behindProxy?: string;
  readonly proxyAddress?: readonly string[];
  readonly maxUpload?: number;
  readonly maxUploads?: number;
  readonly keepDays?: number;
  readonly open?: true;
  readonly stage: string;
  readonly accountId: string;
  readonly allowModule: readonly string[];
  readonly json?: true;
}

const usualPort = 8084;
const usualEndpointPort = 8083;

/** `rowcall serve`: serves the pages and the API, or answers as AWS Step Functions would, until it is interrupted. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .option(
      "--port <number>",
      `port to listen on; 0 takes a free one (default: ${usualPort}, with --aws-endpoint ${usualEndpointPort})`,
      portNumber,
    )
    .option(
      "--host <name>",
      "name or address to listen on; any but this machine's own needs a certificate or a proxy",
      "127.0.0.1",
    )
    .option("--tls-cert <file>", "certificate (PEM) to speak https with")
    .option("--tls-key <file>", "its key (PEM)")
    .option("--behind-proxy <url>", "https address of the proxy that others reach the server through")
    .option("--proxy-address <address>", "address or network that the proxy connects from; may be repeated", listOf)
    .option("--max-upload <megabytes>", "largest table that may be uploaded (default: 10240)", wholeNumber(1))
    .option("--max-uploads <megabytes>", "largest total of all uploads (default: 51200)", wholeNumber(1))
    .option("--keep-days <days>", "how long uploads and remembered answers are kept (default: 30)", wholeNumber(1))
    .option("--open", "print only the address, for a program that opens it")
    .option("--aws-endpoint", "answer as AWS Step Functions does instead, for the AWS command line and SDKs")
    .option("--stage <name>", "with --aws-endpoint: end of the name of the state machine that runs batches", "prod")
    .option("--account-id <digits>", "with --aws-endpoint: account of every ARN", accountId, "123456789012")
    .addOption(allowModuleOption())
    .addOption(
      jsonOption(
        "address and token, or with --aws-endpoint keys and ARNs, as one JSON object, once requests are answered",
      ),
    );
  examples(command, [
    "rowcall serve",
    "rowcall serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem",
    "rowcall serve --behind-proxy https://rowcall.example.com",
    "rowcall serve --host 0.0.0.0 --behind-proxy https://rowcall.example.com --proxy-address 10.0.0.7",
    "rowcall serve --aws-endpoint --port 0 --stage dev --region eu-west-2",
    "aws stepfunctions list-state-machines --endpoint-url http://127.0.0.1:8083",
  ]);
  const ofPages = excludes("--aws-endpoint", "it is for the pages and the API");
  const ofEndpoint = needs("--aws-endpoint");
  declareEffects(command, {
    "--tls-cert": [needs("--tls-key")],
    "--tls-key": [needs("--tls-cert")],
    "--behind-proxy": [ofPages],
    "--proxy-address": [ofPages, needs("--behind-proxy")],
    "--max-upload": [ofPages],
    "--max-uploads": [ofPages],
    "--keep-days": [ofPages],
    "--open": [ofPages, excludes("--json")],
    "--stage": [ofEndpoint],
    "--account-id": [ofEndpoint],
  });
  command.action((options: ServeOptions) =>
    options.awsEndpoint === undefined ? servePages(cli, options) : serveEndpoint(cli, options),
  );
}

async function servePages(cli: Cli, options: ServeOptions): Promise<void> {
  const { io } = cli;
  const { host, port = usualPort, behindProxy, proxyAddress, maxUpload, maxUploads, keepDays, json, open } = options;
  const { startServer } = await import("../../server/start-server.ts");
  const server = await startServer({
    wiring: await cli.wire({ allowedModules: options.allowModule }),
    host,
    port,
    tls: await readTls(io, options),
    proxyUrl: behindProxy,
    proxyAddresses: proxyAddress,
    maxUploadBytes: maxUpload && maxUpload * 1024 * 1024,
    maxUploadsBytes: maxUploads && maxUploads * 1024 * 1024,
    keepMs: keepDays && keepDays * 24 * 3_600_000,
  });
  using interrupts = hearInterrupts(io);
  const { url, token, address } = server;
  if (json === true) await printJson(io, { url, token });
  else if (open === true) await printLines(io.stdout, [address]);
  else {
    await printLines(io.stdout, [`Open ${colorsFor(io, io.stdout).bold(address)}`]);
    await printLines(io.stderr, [
      "Anyone who has this address can sign in. Press Ctrl-C to end the server; its runs can be resumed.",
    ]);
  }
  await printLines(io.stderr, [drainingNote(await interrupts.first)]);
  await server.close();
}

async function serveEndpoint(cli: Cli, options: ServeOptions): Promise<void> {
  const { io } = cli;
  const { port = usualEndpointPort, host, stage, accountId: account } = options;
  const { startStepFunctionsEndpoint } = await import("../../server/stepfunctions/start-endpoint.ts");
  const keys = keysOf(io.env);
  const tls = await readTls(io, options);
  const wiring = await cli.wire({ allowedModules: options.allowModule });
  await using engine = await cli.openEngine("local", wiring);
  const endpoint = await startStepFunctionsEndpoint({
    wiring,
    engine,
    port,
    host,
    tls,
    stage,
    region: cli.globals().region,
    account,
    keys,
  });
  using interrupts = hearInterrupts(io);
  await announce(cli, endpoint, { json: options.json === true, isOwn: keys !== undefined });
  await printLines(io.stderr, [drainingNote(await interrupts.first)]);
  await endpoint.close();
}

/** The texts of certificate and key; undefined without them. @throws RowcallError USAGE_INVALID when one cannot be read */
async function readTls(io: Io, { tlsCert, tlsKey }: ServeOptions): Promise<EndpointOptions["tls"]> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const read = (path: string): Promise<string> => readFile(resolve(io.workingDirectory, path), "utf8");
  try {
    const [cert, key] = await Promise.all([read(tlsCert), read(tlsKey)]);
    return { cert, key };
  } catch (cause) {
    throw new RowcallError("USAGE_INVALID", `The certificate or its key cannot be read: ${messageOf(cause)}`, {
      hint: "Check the paths of --tls-cert and --tls-key.",
      cause,
    });
  }
}

/** @throws RowcallError USAGE_INVALID when one of the two keys is missing */
function keysOf(env: Io["env"]): EndpointOptions["keys"] {
  const accessKeyId = env["ROWCALL_ENDPOINT_ACCESS_KEY_ID"] ?? "";
  const secretAccessKey = env["ROWCALL_ENDPOINT_SECRET_ACCESS_KEY"] ?? "";
  if (accessKeyId === "" && secretAccessKey === "") return undefined;
  if (accessKeyId !== "" && secretAccessKey !== "") return { accessKeyId, secretAccessKey };
  throw new RowcallError("USAGE_INVALID", "Only one of the endpoint's two keys is set", {
    hint: "Set both ROWCALL_ENDPOINT_ACCESS_KEY_ID and ROWCALL_ENDPOINT_SECRET_ACCESS_KEY, or neither: then keys are made.",
  });
}

/** @param isOwn - whether the user gave the keys, who then needs no telling */
async function announce(
  cli: Cli,
  endpoint: RunningEndpoint,
  { json, isOwn }: { readonly json: boolean; readonly isOwn: boolean },
): Promise<void> {
  const { io } = cli;
  const { url, region, batchMachineArn, keys, isInClear } = endpoint;
  const { stateMachines, activities } = await endpoint.arns();
  if (isInClear) {
    await printWarnings(io, [
      {
        message: `Requests to ${url} are signed but not encrypted`,
        hint: "Give --tls-cert and --tls-key unless you trust the network.",
      },
    ]);
  }
  if (json) return printJson(io, { url, region, stateMachines, activities, ...(isOwn ? {} : keys) });
  const { bold } = colorsFor(io, io.stdout);
  const input = `{"config_s3_uri": "batch.json", "input_csv_s3_uri": "rows.csv", "output_s3_prefix": "out/"}`;
  await printLines(io.stdout, [
    `Step Functions endpoint: ${bold(url)}`,
    "",
    "Keys, to paste in another terminal:",
    `  export AWS_ENDPOINT_URL_SFN=${url} AWS_REGION=${region}`,
    isOwn
      ? "  export AWS_ACCESS_KEY_ID=$ROWCALL_ENDPOINT_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$ROWCALL_ENDPOINT_SECRET_ACCESS_KEY"
      : `  export AWS_ACCESS_KEY_ID=${keys.accessKeyId} AWS_SECRET_ACCESS_KEY=${keys.secretAccessKey}`,
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

function accountId(text: string): string {
  if (/^\d{12}$/.test(text)) return text;
  throw new InvalidArgumentError("It must have twelve digits.");
}
