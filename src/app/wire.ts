import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AgentHost, OpenHosted } from "../agents/agent-host.ts";
import { requireAllowedModule } from "../attempt/allowed-modules.ts";
import { createOpener } from "../agents/open-agent.ts";
import type { ChannelScheme } from "../channels/channel-options.ts";
import { openChannel } from "../channels/open-channel.ts";
import type { AgentDefinition } from "../core/agent.ts";
import { awsSettings, type AwsOptions } from "../aws/aws.ts";
import type { Dispatch } from "../core/batch.ts";
import type { Engine } from "../core/engine.ts";
import { messageOf } from "../core/errors.ts";
import { readSecrets } from "../core/secrets.ts";
import type { Services } from "../core/services.ts";
import { machineClocks } from "../runs/machine-clocks.ts";
import { openRegistry } from "../registry/open-registry.ts";
import { isPath, splitRegistries } from "../registry/catalog-place.ts";
import { inAgentScope, type AgentScope } from "../attempt/agent-scope.ts";
import { openStores, type OpenStore } from "../stores/open-store.ts";
import { telemetrySettings, type TelemetrySettings } from "../telemetry/telemetry-settings.ts";

/** How Rowcall is put together; what is absent comes from the environment. */
export interface WireOptions {
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. @default process.cwd() */
  readonly workingDirectory?: string;
  /** Folder of the journal. @default ROWCALL_DATA_DIR, else `.rowcall` */
  readonly dataDirectory?: string;
  /** Prefix of recordings when a batch names none. @default ROWCALL_RECORDINGS, else `recordings` in the data directory */
  readonly recordingsPrefix?: string;
  /**
   * Where agents and templates are: folders as paths or URIs, tables as `dynamodb:TABLE`. Earlier ones win, the first that can
   * hold a kind is published to. @default ROWCALL_REGISTRY, else `registry`
   */
  readonly registries?: readonly string[];
  /** Each wins over its environment variable. */
  readonly aws?: AwsOptions;
  /** Where others say what is run: see `Services`. @default who runs Rowcall says it */
  readonly allowedModules?: readonly string[];
  /** Chromium executable. @default ROWCALL_CHROMIUM, else the first one found */
  readonly chromiumPath?: string;
  /** Whether a redirect of a web server to this address is followed when a table or batch file is read. @default any is */
  readonly mayFollow?: (uri: string) => Promise<boolean>;
  /** Whether browsers must have their sandbox. @default ROWCALL_REQUIRE_SANDBOX, else false */
  readonly requireSandbox?: boolean;
  /** Agent kinds besides the known ones, by name: what an agent file's `kind` says. @default none */
  readonly agents?: Readonly<Record<string, OpenHosted>>;
  /** Stores besides the known ones, by the scheme of their URIs. @default none */
  readonly stores?: Readonly<Record<string, OpenStore>>;
  /** Channels besides the known ones, by the scheme of their addresses. @default none */
  readonly channels?: Readonly<Record<string, ChannelScheme>>;
  /** Where the console channel writes. @default process.stderr */
  readonly stderr?: NodeJS.WritableStream;
}

/** Services and the places they work in. */
export interface Wiring {
  readonly services: Services;
  /** The machine that agents run on, and how AWS is reached from it. */
  readonly host: AgentHost;
  readonly dataDirectory: string;
  /** Path or URI. */
  readonly recordingsPrefix: string;
  /** Addresses of registries, the paths among them absolute; without the package's own. */
  readonly registries: readonly string[];
  /** Absent when the environment names no collector. */
  readonly telemetry?: TelemetrySettings;
}

/** Path of the registry that comes with the package; it is read last and not written. */
export const bundledRegistry: string = fileURLToPath(new URL("../../registry", import.meta.url));

/** Puts stores, registry, agents and channels together. */
export function wire(options: WireOptions = {}): Wiring {
  const env = options.env ?? process.env;
  const workingDirectory = options.workingDirectory ?? process.cwd();
  const stderr = options.stderr ?? process.stderr;
  const chromiumPath = options.chromiumPath ?? given(env["ROWCALL_CHROMIUM"]);
  const requireSandbox =
    options.requireSandbox ?? !["0", "false"].includes(given(env["ROWCALL_REQUIRE_SANDBOX"]) ?? "0");
  const registries = registriesOf(options, env, workingDirectory);
  const aws = awsSettings(env, options.aws);
  const dataDirectory = resolve(
    workingDirectory,
    options.dataDirectory ?? given(env["ROWCALL_DATA_DIR"]) ?? ".rowcall",
  );
  const store = openStores({
    baseDirectory: workingDirectory,
    aws,
    privateFolder: dataDirectory,
    stores: options.stores,
    mayFollow: options.mayFollow,
  });
  const host: AgentHost = {
    secret: (name) => env[name],
    aws,
    chromiumPath: chromiumPath && resolve(workingDirectory, chromiumPath),
    requireSandbox,
  };
  const timing = {
    ...machineClocks,
    random: Math.random,
    wait: (milliseconds: number, signal?: AbortSignal) => wait(milliseconds, undefined, signal && { signal }),
  };
  const write = (text: string): void => void stderr.write(text);
  const openKind = createOpener(options.agents);
  const services: Services = {
    store,
    registry: openRegistry({ store, aws, registries, bundled: bundledRegistry }),
    openAgent: async (definition, environment) => {
      // Whoever has an agent opened, and be it for a plan: code that is not allowed is not loaded.
      await requireAllowedModule(services, definition);
      return inAgentScope(openingOf(definition, host.secret), () =>
        openKind(definition, { ...environment, ...host, baseDirectory: workingDirectory }),
      );
    },
    openChannel: (address) =>
      openChannel(address, { write, aws, secret: host.secret, timing, channels: options.channels }),
    ...machineClocks,
    random: timing.random,
    baseDirectory: workingDirectory,
    allowedModules: options.allowedModules,
  };
  const recordings = options.recordingsPrefix ?? given(env["ROWCALL_RECORDINGS"]) ?? join(dataDirectory, "recordings");
  const recordingsPrefix = isPath(recordings) ? resolve(workingDirectory, recordings) : recordings;
  return { services, host, dataDirectory, recordingsPrefix, registries, telemetry: telemetrySettings(env) };
}

/** Opens the engine that runs batches on this machine; who opens it closes it. */
export async function openEngine({
  services,
  host,
  dataDirectory,
  recordingsPrefix,
  telemetry,
  dispatch,
}: Pick<Wiring, "services" | "dataDirectory" | "recordingsPrefix" | "telemetry"> & {
  readonly host?: AgentHost;
  /** Where attempts are made when a batch does not say. @default in_process */
  readonly dispatch?: Dispatch;
}): Promise<Engine> {
  const { openLocalEngine } = await import("../engines/local/local-engine.ts");
  const engine = openLocalEngine({ services, dataDirectory, recordingsPrefix, region: host?.aws.region, dispatch });
  if (telemetry === undefined) return engine;
  const { withTelemetry } = await import("../telemetry/with-telemetry.ts");
  return withTelemetry(engine, telemetry, services.clock);
}

/** A batch processor on AWS, as its deployment names it. */
export interface AwsRuns {
  /** ARN of its state machine. */
  readonly stateMachineArn: string;
  /** Prefix of its runs: `s3://bucket/runs/`. */
  readonly runsUri: string;
}

/**
 * Opens the engine that runs batches in a batch processor on AWS; who opens it closes it.
 *
 * @throws RowcallError USAGE_INVALID when the ARN or the prefix cannot be one
 */
export async function openAwsEngine(
  { services, host, dataDirectory }: Pick<Wiring, "services" | "host" | "dataDirectory">,
  { stateMachineArn, runsUri }: AwsRuns,
): Promise<Engine> {
  const [{ openAwsEngine: open }, { openStepFunctions }] = await Promise.all([
    import("../engines/aws/aws-engine.ts"),
    import("../aws/step-functions.ts"),
  ]);
  const sfn = await openStepFunctions(host.aws, stateMachineArn);
  return open({ services, sfn, runsUri, dataDirectory });
}

/** A registry's address as a user writes it, a path made absolute. */
export function registryAddress(text: string, workingDirectory: string): string {
  return isPath(text) ? resolve(workingDirectory, text) : text;
}

/** The scope of what an agent begins while it is opened: of its module, of the connections it keeps. */
function openingOf(definition: AgentDefinition, secret: AgentHost["secret"]): AgentScope {
  const { agent_name: agent } = definition;
  const hint = "It belongs to no row: look at what the agent does when it is loaded, and at connections it keeps open.";
  return {
    takeError: (thrown) => {
      const what = readSecrets(definition, secret).mask.text(messageOf(thrown));
      return { message: `Agent ${agent} failed outside of its attempts: ${what}`, hint };
    },
    takeExit: (call) => ({ message: `Agent ${agent} called ${call} outside of its attempts`, hint }),
  };
}

function registriesOf(options: WireOptions, env: NonNullable<WireOptions["env"]>, workingDirectory: string): string[] {
  const set = given(env["ROWCALL_REGISTRY"]);
  const named = options.registries ?? (set === undefined ? ["registry"] : splitRegistries(set, delimiter));
  return [...new Set(named.map((address) => registryAddress(address, workingDirectory)))];
}

function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
