import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { definePauseCommand } from "./pause-command.ts";

/** `rowcall unpause`: a paused run starts attempts again. */
export function defineCommand(command: Command, cli: Cli): void {
  definePauseCommand(command, cli, false);
}
