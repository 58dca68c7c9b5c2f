import assert from "node:assert/strict";
import type { Command } from "commander";
import { createCli } from "../../src/cli/cli.ts";
import { commands } from "../../src/cli/commands.ts";
import { createProgram } from "../../src/cli/run-cli.ts";
import { createTestIo } from "../fakes/io.ts";

/** The whole command line, every command with its options: `rowcall`, `rowcall run`, `rowcall agents list`. */
export async function allCommands(): Promise<ReadonlyMap<string, Command>> {
  const io = createTestIo();
  const program = createProgram(io, () => {});
  const cli = createCli(
    io,
    () => ({}),
    () => {},
  );
  const found = new Map<string, Command>([["rowcall", program]]);
  const gather = (command: Command, path: string): void => {
    found.set(path, command);
    for (const below of command.commands) gather(below, `${path} ${below.name()}`);
  };
  for (const { name, load } of commands) {
    const command = program.commands.find((candidate) => candidate.name() === name);
    assert.ok(command !== undefined);
    (await load()).defineCommand(command, cli);
    gather(command, `rowcall ${name}`);
  }
  return found;
}
