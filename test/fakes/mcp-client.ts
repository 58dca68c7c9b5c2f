import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { createCli } from "../../src/cli/cli.ts";
import { createMcpServer } from "../../src/cli/mcp/create-server.ts";
import { openSession } from "../../src/cli/mcp/session.ts";
import { createTestIo, type TestIo } from "./io.ts";
import type { Workspace } from "./workspace.ts";

/** What a tool answered, as a test looks at it. */
export interface ToolAnswer {
  readonly isError: boolean;
  readonly text: string;
  /** Bytes of the whole result. */
  readonly bytes: number;
  readonly content: Readonly<Record<string, unknown>>;
  readonly untrusted: Readonly<Record<string, unknown>>;
}

/** Calls a tool by way of the SDK's own client. */
export async function callTool(client: Client, name: string, args: object = {}): Promise<ToolAnswer> {
  const result = (await client.callTool({ name, arguments: { ...args } })) as CallToolResult;
  const [first] = result.content;
  const content = result.structuredContent ?? {};
  return {
    isError: result.isError === true,
    text: first?.type === "text" ? first.text : "",
    bytes: Buffer.byteLength(JSON.stringify(result)),
    content,
    untrusted: (content["untrusted"] ?? {}) as ToolAnswer["untrusted"],
  };
}

/** Asks for progress until a run is not going any more. */
export async function untilEnded(client: Client, run: string): Promise<ToolAnswer> {
  for (;;) {
    const answer = await callTool(client, "run_progress", { run });
    if (answer.isError || answer.content["status"] !== "running") return answer;
  }
}

/** A server over a workspace's folder, in this process. */
export interface TestMcp {
  readonly io: TestIo;
  /** Another client of the same server. */
  connect(): Promise<Client>;
  /** As when the only client goes away. */
  close(): Promise<void>;
}

/**
 * Opens a server over a workspace.
 *
 * @param allowed - as `--allow`
 * @param batchFolders - as `--allow-batch`
 */
export async function openTestMcp(
  { folder }: Pick<Workspace, "folder">,
  allowed: readonly string[] = [],
  batchFolders: readonly string[] = ["."],
  env: TestIo["env"] = {},
): Promise<TestMcp> {
  const io = createTestIo({ env, workingDirectory: folder });
  const cli = createCli(
    io,
    () => ({}),
    () => {},
  );
  const session = await openSession(cli, { allowed, batchFolders });
  const clients: Client[] = [];
  return {
    io,
    connect: async () => {
      const [ours, theirs] = InMemoryTransport.createLinkedPair();
      await createMcpServer(session, "1.2.3").connect(theirs);
      const client = new Client({ name: "test", version: "1.0.0" });
      await client.connect(ours);
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) await client.close();
      await session.close();
    },
  };
}
