import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { randomBytes } from "node:crypto";
import process from "node:process";
import type { Writable } from "node:stream";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { drainingNote, hearInterrupts, type EndSignal } from "../io.ts";
import { declareEffects, needs } from "../option-use.ts";
import { examples, portNumber, repeated } from "../options.ts";
import { printLines } from "../print/output.ts";

interface McpOptions {
  readonly http?: true;
  readonly port?: number;
  readonly allow?: readonly string[];
  readonly allowBatch?: readonly string[];
}

const usualPort = 8084;

/** `rowcall mcp`: lets an assistant run tables, over the Model Context Protocol, until it goes away or is interrupted. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .option("--http", "answer HTTP on this machine, to any number of clients, rather than standard input")
    .option("--port <number>", `port for --http; 0 takes a free one (default: ${usualPort})`, portNumber)
    .option(
      "--allow <place>",
      "folder or URI prefix that may be read and written beside the working directory; may be repeated",
      repeated,
    )
    .option(
      "--allow-batch <folder>",
      "folder or URI prefix of batch files that may be run (default: none, batches come as objects); may be repeated",
      repeated,
    );
  examples(command, [
    "rowcall mcp",
    "rowcall mcp --allow ~/tables --allow s3://my-bucket/tables/",
    "rowcall mcp --allow-batch batches",
    "rowcall mcp --http --port 8084",
  ]);
  declareEffects(command, { "--port": [needs("--http")] });
  command.action(async ({ http, port = usualPort, allow = [], allowBatch = [] }: McpOptions) => {
    const { openSession } = await import("../mcp/session.ts");
    using interrupts = hearInterrupts(cli.io);
    const session = await openSession(cli, { allowed: allow, batchFolders: allowBatch });
    try {
      const { createMcpServer } = await import("../mcp/create-server.ts");
      const createServer = (): McpServer => createMcpServer(session, command.parent?.version() ?? "");
      if (http === true) await serveHttp(cli, createServer, port, interrupts.first);
      else await serveClient(cli, createServer(), interrupts.signal);
    } finally {
      await session.close();
    }
  });
}

async function serveClient({ io }: Cli, mcp: McpServer, closing: AbortSignal): Promise<void> {
  const { serveStdio } = await import("../mcp/serve-stdio.ts");
  // The usual listener ends the process when the reader has gone, and runs are still to be drained.
  io.stdout.removeAllListeners("error").on("error", () => {});
  await serveStdio(mcp, process.stdin, io.stdout as Writable, closing);
}

async function serveHttp(
  { io }: Cli,
  createServer: () => McpServer,
  port: number,
  closing: Promise<EndSignal>,
): Promise<void> {
  const { startHttp } = await import("../mcp/start-http.ts");
  const given = io.env["ROWCALL_MCP_TOKEN"] ?? "";
  const token = given === "" ? randomBytes(32).toString("base64url") : given;
  const http = await startHttp({ port, token, createServer });
  await printLines(io.stderr, [
    `MCP over HTTP: ${http.url}`,
    `Authorization: Bearer ${given === "" ? token : "(ROWCALL_MCP_TOKEN)"}`,
  ]);
  await printLines(io.stderr, [drainingNote(await closing)]);
  await http.close();
}
