import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type CallToolResult,
  type Implementation,
  type Tool as ListedTool,
} from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { shortValues } from "../../app/audit.ts";
import { parseWith } from "../../core/schema.ts";
import { findRun } from "../../app/find-run.ts";
import { toResult, instructions, runTablePrompt } from "./answer.ts";
import type { Session } from "./session.ts";
import { describeRun } from "./snapshot.ts";
import { toErrorResult } from "./tool-error.ts";
import type { Tool } from "./tool.ts";
import { tools } from "./tools.ts";

const aliveEveryMs = 2000;
const runsListed = 20;

/**
 * Creates the server of one client.
 *
 * @param version - of Rowcall
 */
export function createMcpServer(session: Session, version: string): McpServer {
  const mcp = new McpServer(
    { name: "rowcall", title: "Rowcall", version },
    { capabilities: { tools: {} }, instructions },
  );
  mcp.server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: listed }));
  mcp.server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification, _meta }) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (tool === undefined) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${params.name}`);
    // A client counts a call as lost after a while without a sign of life, and says with a token that it wants one.
    const progressToken = _meta?.progressToken;
    let progress = 0;
    const tellAlive = (token: string | number): void => {
      progress += 1;
      const sent = sendNotification({ method: "notifications/progress", params: { progressToken: token, progress } });
      void sent.catch(() => {});
    };
    const alive = progressToken === undefined ? undefined : setInterval(tellAlive, aliveEveryMs, progressToken);
    try {
      const result = await callTool(session, tool, params.arguments ?? {}, signal);
      if (tool.annotations.readOnlyHint !== true)
        await note(session, mcp.server.getClientVersion(), tool.name, params.arguments, result);
      return result;
    } finally {
      clearInterval(alive);
    }
  });
  addSummaries(mcp, session);
  mcp.registerPrompt(
    "run_a_table",
    {
      title: "Run a table without babysitting it",
      description: "How to take a table from a batch file to an enriched CSV",
      argsSchema: { batch: z.string().optional().describe("Path of the batch file, if there is one") },
    },
    ({ batch }) => ({ messages: [{ role: "user", content: { type: "text", text: runTablePrompt(batch) } }] }),
  );
  return mcp;
}

const listed: ListedTool[] = tools.map(({ name, title, description, input, annotations }) => ({
  name,
  title,
  description,
  inputSchema: z.toJSONSchema(input, { io: "input", target: "draft-7" }) as ListedTool["inputSchema"],
  annotations: { title, ...annotations },
}));

async function callTool(session: Session, tool: Tool, given: unknown, signal: AbortSignal): Promise<CallToolResult> {
  try {
    const args = parseWith(tool.input, given, "USAGE_INVALID", `call of ${tool.name}`);
    return toResult(await tool.run(session, args, { signal }));
  } catch (error) {
    return toErrorResult(error);
  }
}

/** Notes a call that does more than look. */
async function note(
  { audit }: Session,
  client: Implementation | undefined,
  name: string,
  given: unknown,
  { isError, structuredContent = {} }: CallToolResult,
): Promise<void> {
  const { run, error } = structuredContent as { readonly run?: unknown; readonly error?: { readonly code?: string } };
  const detail = shortValues(given);
  const target = run ?? detail["run"] ?? detail["name"];
  await audit({
    via: "mcp",
    by: client === undefined ? "a client" : `${client.name} ${client.version}`.slice(0, 200),
    action: name,
    target: typeof target === "string" ? target : undefined,
    detail,
    outcome: isError === true ? (error?.code ?? "UNEXPECTED") : "done",
  });
}

function addSummaries(mcp: McpServer, session: Session): void {
  const list = async (): Promise<{ resources: { uri: string; name: string; mimeType: string }[] }> => ({
    resources: (await session.engine.list({ limit: runsListed })).map(({ id }) => ({
      uri: `run://${id}/summary`,
      name: `Run ${id}`,
      mimeType: "application/json",
    })),
  });
  mcp.registerResource(
    "run-summary",
    new ResourceTemplate("run://{id}/summary", { list }),
    {
      title: "Where a run stands",
      description: "What run_progress tells, without waiting",
      mimeType: "application/json",
    },
    async (uri, { id }) => {
      const answer = await describeRun(session, await findRun(session.engine, String(id)));
      const text = JSON.stringify(toResult(answer).structuredContent);
      return { contents: [{ uri: uri.href, mimeType: "application/json", text }] };
    },
  );
}
