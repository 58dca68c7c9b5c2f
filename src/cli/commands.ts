import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { always, excludes, needsEngine, type Condition } from "./option-use.ts";
import type { GlobalUse } from "./options.ts";

/** What a command's file exports. */
export interface CommandModule {
  /** Gives the command its arguments, options, examples and action. */
  defineCommand(command: Command, cli: Cli): void;
}

/** A command as the list of commands shows it; its file is loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  /** An older name that goes on working, and says the new one. */
  readonly was?: string;
  readonly summary: string;
  /** Heading it is listed under. */
  readonly group: string;
  /** Which of the options of every command have an effect here, and when. */
  readonly uses: GlobalUse;
  load(): Promise<CommandModule>;
}

const running = "Run a batch:";
const looking = "Look at runs:";
const preparing = "Agents and templates:";

const runs = { engine: always, processor: [needsEngine("aws")], data: always } satisfies GlobalUse;
// What is asked of a run on this machine is answered from the data directory.
const oneRun = { ...runs, aws: [needsEngine("aws")] } satisfies GlobalUse;
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
  registry: [
    ({ command }) => (command.endsWith(" validate") ? { why: "at `validate`, which reads files" } : undefined),
  ],
  aws: always,
};

/** Every command, in the order of the list. */
export const commands: readonly CommandEntry[] = [
  {
    name: "plan",
    group: running,
    uses: { engine: always, data: ofBatch, registry: ofBatch, aws: ofBatch, browser: ofBatch },
    summary: "check a batch and every row of its input without running it",
    load: () => import("./commands/plan-command.ts"),
  },
  {
    name: "try",
    group: running,
    uses: agents,
    summary: "run one row and show everything about it",
    load: () => import("./commands/try-command.ts"),
  },
  {
    name: "run",
    group: running,
    uses: { ...runs, registry: always, aws: always, browser: attemptsHere },
    summary: "run a batch",
    load: () => import("./commands/run-command.ts"),
  },
  {
    name: "resume",
    was: "unpause",
    group: running,
    uses: { ...runs, registry: here, aws: always, browser: here },
    summary: "go on with a run that was interrupted, stopped or paused",
    load: () => import("./commands/resume-command.ts"),
  },
  {
    name: "rerun",
    group: running,
    uses: { ...runs, registry: here, aws: always, browser: here },
    summary: "attempt a run's failed rows again",
    load: () => import("./commands/rerun-command.ts"),
  },
  {
    name: "stop",
    group: running,
    uses: oneRun,
    summary: "ask a run to finish its rows in flight and stop",
    load: () => import("./commands/stop-command.ts"),
  },
  {
    name: "update",
    was: "adjust",
    group: running,
    uses: oneRun,
    summary: "change limits of a run while it goes",
    load: () => import("./commands/update-command.ts"),
  },
  {
    name: "pause",
    group: running,
    uses: oneRun,
    summary: "let a run start no row until it is resumed",
    load: () => import("./commands/pause-command.ts"),
  },
  {
    name: "serve",
    group: running,
    uses: agents,
    summary: "serve the API and the pages, or answer as Step Functions does",
    load: () => import("./commands/serve-command.ts"),
  },
  {
    name: "token",
    group: running,
    uses: { data: always },
    summary: "replace the server's token by a new one",
    load: () => import("./commands/token-command.ts"),
  },
  {
    name: "worker",
    group: running,
    uses: agents,
    summary: "make attempts for runs that leave their rows to workers",
    load: () => import("./commands/worker-command.ts"),
  },
  {
    name: "mcp",
    group: running,
    uses: { ...agents, ...runs },
    summary: "let an assistant run tables, over the Model Context Protocol",
    load: () => import("./commands/mcp-command.ts"),
  },
  {
    name: "runs",
    group: looking,
    uses: oneRun,
    summary: "list runs",
    load: () => import("./commands/runs-command.ts"),
  },
  {
    name: "show",
    group: looking,
    uses: { ...runs, aws: always },
    summary: "show a run: counts, failures, slowest rows, output",
    load: () => import("./commands/show-command.ts"),
  },
  {
    name: "rows",
    group: looking,
    uses: oneRun,
    summary: "list a run's rows and their attempts",
    load: () => import("./commands/rows-command.ts"),
  },
  {
    name: "export",
    group: looking,
    uses: { ...runs, aws: always },
    summary: "write a run's table again, as CSV or JSON Lines",
    load: () => import("./commands/export-command.ts"),
  },
  {
    name: "notify",
    group: looking,
    uses: { ...runs, aws: always },
    summary: "send a run's notifications that have not arrived",
    load: () => import("./commands/notify-command.ts"),
  },
  {
    name: "delete",
    group: looking,
    uses: { ...runs, aws: always },
    summary: "delete everything that is kept of a run",
    load: () => import("./commands/delete-command.ts"),
  },
  {
    name: "agents",
    group: preparing,
    uses: catalog,
    summary: "list, show, validate, publish, retire and copy agents",
    load: () => import("./commands/agents-command.ts"),
  },
  {
    name: "templates",
    group: preparing,
    uses: catalog,
    summary: "list, show, validate, publish, retire and copy templates",
    load: () => import("./commands/templates-command.ts"),
  },
  {
    name: "sandbox",
    group: preparing,
    uses: { data: always },
    summary: "start AWS as batches see it, on this machine",
    load: () => import("./commands/sandbox-command.ts"),
  },
  {
    name: "doctor",
    group: preparing,
    uses: { ...agents, ...runs },
    summary: "check that this machine can run batches",
    load: () => import("./commands/doctor-command.ts"),
  },
];
