import { userInfo } from "node:os";
import process from "node:process";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { examples, jsonOption } from "../options.ts";
import { count, printJson, printLines } from "../print/output.ts";

interface RotateOptions {
  readonly json?: true;
}

/** `rowcall token`: looks after the token of the server. */
export function defineCommand(command: Command, cli: Cli): void {
  const rotate = command
    .command("rotate")
    .description("replace the server's token with a new one, which ends all sessions")
    .addOption(
      jsonOption("the file of the new token, how many sessions ended, and the servers that use it, as one JSON object"),
    );
  examples(rotate, ["rowcall token rotate", "rowcall token rotate --data-dir /var/lib/rowcall/.rowcall"]);
  rotate.action(async ({ json }: RotateOptions) => {
    const { services, dataDirectory } = await cli.wire();
    const [{ rotateToken }, { openAudit }, { listServing }] = await Promise.all([
      import("../../server/security/session.ts"),
      import("../../app/audit.ts"),
      import("../../server/note-serving.ts"),
    ]);
    const { file, sessionsEnded } = await rotateToken(dataDirectory, services.clock);
    const audit = openAudit({ dataDirectory, clock: services.clock, stderr: cli.io.stderr });
    await audit({
      via: "cli",
      by: `user:${process.getuid?.() ?? userInfo().username}`,
      action: "rotateToken",
      detail: { sessionsEnded },
      outcome: "done",
    });
    const serving = await listServing(dataDirectory);
    const servers = serving.filter(({ what }) => what === "server").map(({ url }) => url);
    if (json === true) return printJson(cli.io, { file, sessionsEnded, servers });
    return printLines(cli.io.stderr, [
      `New server token: ${file}`,
      `The old token no longer works; ${count(sessionsEnded, "session")} ended.`,
      ...servers.map((url) => `${url} uses the new token from now on.`),
    ]);
  });
}
