import type { Engine } from "../core/engine.ts";
import type { WireOptions, Wiring } from "../app/wire.ts";
import { chosenEngine, chosenProcessor, type EngineName, type EngineOptions } from "./engine-choice.ts";
import type { Io, Output } from "./io.ts";
import { withStdout } from "./stdout.ts";
import { colours } from "./print/terminal.ts";

/** Options that every command takes. */
export interface GlobalOptions extends EngineOptions {
  readonly dataDir?: string;
  readonly registry?: readonly string[];
  readonly chromium?: string;
  readonly requireSandbox?: true;
  readonly profile?: string;
  readonly region?: string;
  readonly endpointUrl?: string;
}

/** What a command says of how things are put together. */
export type WireChoice = Pick<WireOptions, "allowedModules" | "mayFollow">;

/** What a command is handed. */
export interface Cli {
  readonly io: Io;
  globals(): GlobalOptions;
  /** Services and places, from options and environment: made once, unless a command adds to them. @param more - what it adds */
  wire(more?: WireChoice): Promise<Wiring>;
  /**
   * Where batches run.
   *
   * @throws RowcallError USAGE_INVALID
   */
  engine(): EngineName;
  /**
   * Opens an engine; who opens it closes it, by `await using`.
   *
   * @param where - @default the one that the user chose
   * @param wiring - @default that of `wire`
   */
  openEngine(where?: EngineName, wiring?: Wiring): Promise<Engine & AsyncDisposable>;
  /** Sets the code that the process ends with when nothing is thrown. @default 0 */
  setExitCode(code: number): void;
  /** A command for the user to type, with the options that were given of where runs are: `rowcall show last`. */
  suggestion(command: string): string;
}

/** Colours for a stream: those the terminal has, none with `NO_COLOR`, always with `FORCE_COLOR`. */
export function colorsFor({ env }: Io, output: Output): ReturnType<typeof colours> {
  return colours(hasColors(env, output));
}

/** Whether text to a stream may be coloured. */
export function hasColors(env: Io["env"], output: Output): boolean {
  if (isSet(env["NO_COLOR"])) return false;
  if (isSet(env["FORCE_COLOR"])) return env["FORCE_COLOR"] !== "0" && env["FORCE_COLOR"] !== "false";
  return output.isTTY === true && env["TERM"] !== "dumb";
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}

/** Creates what commands are handed. Nothing heavy is loaded before a command asks for it. */
export function createCli(io: Io, globals: () => GlobalOptions, setExitCode: (code: number) => void): Cli {
  const create = async (more: WireChoice): Promise<Wiring> => {
    const { dataDir, registry, chromium, requireSandbox, profile, region, endpointUrl } = globals();
    const { wire } = await import("../app/wire.ts");
    return wire({
      ...more,
      env: io.env,
      workingDirectory: io.workingDirectory,
      stderr: io.stderr,
      aws: { profile, region, endpointUrl },
      dataDirectory: dataDir,
      registries: registry,
      chromiumPath: chromium,
      requireSandbox,
    });
  };
  let usual: Promise<Wiring> | undefined;
  const wire = (more?: WireChoice): Promise<Wiring> => (more === undefined ? (usual ??= create({})) : create(more));
  const engine = (): EngineName => chosenEngine(globals(), io.env);
  return {
    io,
    globals,
    wire,
    engine,
    openEngine: async (where = engine(), given) => {
      const { openAwsEngine, openEngine } = await import("../app/wire.ts");
      const { holdYoungGeneration } = await import("./young-generation.ts");
      holdYoungGeneration();
      const { services, ...rest } = given ?? (await wire());
      const wiring = { ...rest, services: { ...services, store: withStdout(services.store, io.stdout) } };
      const opened =
        where === "aws" ? await openAwsEngine(wiring, chosenProcessor(globals(), io.env)) : await openEngine(wiring);
      return Object.assign(opened, { [Symbol.asyncDispose]: () => opened.close() });
    },
    setExitCode,
    suggestion: (command) => {
      const { engine: where, stateMachineArn, runs, dataDir } = globals();
      const given = [
        ["--engine", where],
        ["--state-machine-arn", stateMachineArn],
        ["--runs", runs],
        ["--data-dir", dataDir],
      ] as const;
      const options = given.flatMap(([name, value]) => (value === undefined ? [] : [name, quoted(value)]));
      return ["rowcall", command, ...options].join(" ");
    },
  };
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
