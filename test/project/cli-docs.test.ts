import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Command } from "commander";
import { createCli } from "../../src/cli/cli.ts";
import { commands } from "../../src/cli/commands.ts";
import { createProgram } from "../../src/cli/run-cli.ts";
import { createTestIo } from "../fakes/io.ts";

const page = await readFile(new URL("../../docs/cli.md", import.meta.url), "utf8");

/** Arguments and options as the command line knows them, by command. */
async function defined(): Promise<Map<string, readonly string[]>> {
  const io = createTestIo();
  const program = createProgram(io, () => {});
  const cli = createCli(
    io,
    () => ({}),
    () => {},
  );
  const found = new Map<string, readonly string[]>([["Options of every command", flagsOf(program)]]);
  const gather = (command: Command, path: string): void => {
    const args = command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    );
    found.set(path, [...args, ...flagsOf(command)].toSorted());
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

function flagsOf(command: Command): string[] {
  return command.options.map(({ flags }) => flags).toSorted();
}

/** The same, as the page has it. */
function documented(): Map<string, readonly string[]> {
  const sections = page.split(/^#{2,3} /m).slice(1);
  return new Map(
    sections.map((section) => {
      const heading = section.slice(0, section.indexOf("\n"));
      return [heading, [...section.matchAll(/^\| `([-<[][^`]*)` \|/gm)].map(([, flags = ""]) => flags).toSorted()];
    }),
  );
}

test("docs/cli.md has every command with its arguments and options, and no other", async () => {
  const pages = documented();
  pages.delete("Input and output");
  assert.deepEqual(Object.fromEntries(pages), Object.fromEntries(await defined()));
});
