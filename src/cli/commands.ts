import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { always, excludes, needsEngine, type Condition } from "./option-use.ts";
import type { GlobalUse } from "./options.ts";

/** Gives a command its arguments, options, examples and action. */
export interface CommandModule {
  defineCommand(command: Command, cli: Cli): void;
}

interface Entry {
  /** An older name that goes on working, and says the new one. */
  readonly was?: string;
  readonly summary: string;
  /** Which of the options of every command have an effect here, and when. */
  readonly uses: GlobalUse;
  /** Its file in commands/, which is loaded when the command is called. */
  load(): Promise<CommandModule>;
}

/** A command as the list of commands shows it. */
export interface CommandEntry extends Entry {
  readonly name: string;
  /** Heading it is listed under. */
  readonly group: string;
}

const runs = { engine: always, processor: [needsEngine("aws")], data: always } satisfies GlobalUse;
// What is asked of a run on this machine is answered from the data directory.
const oneRun = { ...runs, aws: [needsEngine("aws")] } satisfies GlobalUse;
const placesOfRun = { ...runs, aws: always } satisfies GlobalUse;
const agents = { data: always, registry: always, aws: always, browser: always } satisfies GlobalUse;
const ofBatch = [excludes("--table", "it takes no batch")];
const here = [needsEngine("local", "what runs there has its own")];
const attemptsHere: readonly Condition[] = [
  ...here,
  ({ batch, value }) =>
    (value("--dispatch") ?? batch?.execution.dispatch) === "activity"
      ? { why: "when workers make the attempts", remedy: "give it to `rowcall worker`" }
      : undefined,
];
const catalog: GlobalUse = {
  registry: [({ command }) => (command === "validate" ? { why: "at `validate`, which reads files" } : undefined)],
  aws: always,
};

/** Every command by name, under its heading and in the order of the help. */
const headings: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  "Run a batch:": {
    plan: {
      summary: "check a batch and every row of its input without running it",
      uses: { engine: always, data: ofBatch, registry: ofBatch, aws: ofBatch, browser: ofBatch },
      load: () => import("./commands/plan-command.ts"),
    },
    try: {
      summary: "run one row and show everything about it",
      uses: agents,
      load: () => import("./commands/try-command.ts"),
    },
    run: {
      summary: "run a batch",
      uses: { ...runs, registry: always, aws: always, browser: attemptsHere },
      load: () => import("./commands/run-command.ts"),
    },
    resume: {
      was: "unpause",
      summary: "continue a run that was interrupted, stopped or paused",
      uses: { ...placesOfRun, registry: here, browser: here },
      load: () => import("./commands/resume-command.ts"),
    },
    rerun: {
      summary: "attempt a run's failed rows again",
      uses: { ...placesOfRun, registry: here, browser: here },
      load: () => import("./commands/rerun-command.ts"),
    },
    stop: {
      summary: "ask a run to finish its rows in flight and stop",
      uses: oneRun,
      load: () => import("./commands/stop-command.ts"),
    },
    update: {
      was: "adjust",
      summary: "change limits of a run in flight",
      uses: oneRun,
      load: () => import("./commands/update-command.ts"),
    },
    pause: {
      summary: "let a run start no row until it is resumed",
      uses: oneRun,
      load: () => import("./commands/pause-command.ts"),
    },
    serve: {
      summary: "serve the API and the pages, or answer as Step Functions does",
      uses: agents,
      load: () => import("./commands/serve-command.ts"),
    },
    token: {
      summary: "replace the server's token with a new one",
      uses: { data: always },
      load: () => import("./commands/token-command.ts"),
    },
    worker: {
      summary: "make attempts for runs that leave their rows to workers",
      uses: agents,
      load: () => import("./commands/worker-command.ts"),
    },
    mcp: {
      summary: "let an assistant run tables, over the Model Context Protocol",
      uses: { ...agents, ...runs },
      load: () => import("./commands/mcp-command.ts"),
    },
  },
  "Look at runs:": {
    runs: {
      summary: "list runs",
      uses: oneRun,
      load: () => import("./commands/runs-command.ts"),
    },
    show: {
      summary: "show a run: counts, failures, slowest rows, output",
      uses: placesOfRun,
      load: () => import("./commands/show-command.ts"),
    },
    rows: {
      summary: "list a run's rows and their attempts",
      uses: oneRun,
      load: () => import("./commands/rows-command.ts"),
    },
    export: {
      summary: "write a run's table again, as CSV or JSON Lines",
      uses: placesOfRun,
      load: () => import("./commands/export-command.ts"),
    },
    notify: {
      summary: "send a run's notifications that have not arrived",
      uses: placesOfRun,
      load: () => import("./commands/notify-command.ts"),
    },
    delete: {
      summary: "delete everything that is kept of a run",
      uses: placesOfRun,
      load: () => import("./commands/delete-command.ts"),
    },
  },
  "Agents and templates:": {
    agents: {
      summary: "list, show, validate, publish, retire and copy agents",
      uses: catalog,
      load: async () => (await import("./commands/catalog-commands.ts")).agents,
    },
    templates: {
      summary: "list, show, validate, publish, retire and copy templates",
      uses: catalog,
      load: async () => (await import("./commands/catalog-commands.ts")).templates,
    },
    sandbox: {
      summary: "start AWS as batches see it, on this machine",
      uses: { data: always },
      load: () => import("./commands/sandbox-command.ts"),
    },
    doctor: {
      summary: "check that this machine can run batches",
      uses: { ...agents, ...runs },
      load: () => import("./commands/doctor-command.ts"),
    },
  },
};

/** Every command, in the order of the help. */
export const commands: readonly CommandEntry[] = Object.entries(headings).flatMap(([group, entries]) =>
  Object.entries(entries).map(([name, entry]) => ({ name, group, ...entry })),
);
