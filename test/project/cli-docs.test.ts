import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Command } from "commander";
import { allCommands } from "./cli-commands.ts";

const page = await readFile(new URL("../../docs/cli.md", import.meta.url), "utf8");

/** Arguments and options as the command line knows them, by command. */
async function defined(): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const [path, command] of await allCommands()) {
    const args = command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    );
    const isProgram = path === "rowcall";
    found.set(isProgram ? "Options of every command" : path, [...args, ...flagsOf(command)].toSorted());
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
