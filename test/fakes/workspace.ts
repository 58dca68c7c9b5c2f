import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach } from "node:test";
import { pathToFileURL } from "node:url";
import type { JsonObject } from "../../src/core/json.ts";

/** A folder with a function agent, a table and a batch file, as a user has it. */
export interface Workspace {
  readonly folder: string;
  /** Called by the agent for each row, in this process only; the row's column `n`. */
  onRow: (n: number) => unknown;
  at(...names: string[]): string;
  read(name: string): Promise<string>;
  write(name: string, content: string | JsonObject): Promise<string>;
  remove(): Promise<void>;
}

const hooks = new Map<string, Workspace>();
Object.assign(globalThis, { rowcallTestHooks: hooks });

/**
 * Makes a workspace. Its agent `doubler` doubles column `n`, and fails where `n` ends in 3.
 *
 * @param rows - records of the table
 */
export async function createWorkspace(rows: number): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall cli "));
  const at = (...names: string[]): string => join(folder, ...names);
  const workspace: Workspace = {
    folder,
    onRow: () => {},
    at,
    read: (name) => readFile(at(name), "utf8"),
    write: async (name, content) => {
      await writeFile(at(name), typeof content === "string" ? content : JSON.stringify(content));
      return at(name);
    },
    remove: async () => {
      hooks.delete(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
  hooks.set(folder, workspace);
  await mkdir(at("registry", "agents"), { recursive: true });
  await workspace.write("agent.mjs", agentModule(folder));
  await workspace.write("registry/agents/doubler_v1.0.0.json", {
    agent_name: "doubler",
    version: "1.0.0",
    kind: "function",
    config: { module: pathToFileURL(at("agent.mjs")).href },
    structured_output: { enabled: true, output_fields: ["double"] },
  });
  await workspace.write("rows.csv", `n,text\n${Array.from({ length: rows }, (_, n) => `${n},"row, ${n}"\n`).join("")}`);
  await workspace.write("batch.json", {
    agent: "doubler",
    input: "rows.csv",
    output: "out.csv",
    execution_config: { max_concurrency: 2, retry_strategy: { max_attempts: 0 } },
  });
  return workspace;
}

/**
 * Gives every test of a suite a workspace of its own; called at the top of the suite.
 *
 * @param use - receives it before each test
 */
export function useWorkspace(rows: number, use: (workspace: Workspace) => void): void {
  const made: Workspace[] = [];
  beforeEach(async () => {
    const workspace = await createWorkspace(rows);
    made.push(workspace);
    use(workspace);
  });
  // Hooks run in the order in which they were named, and a test ends its servers, which still write, in one of its own after this one.
  after(() => Promise.all(made.map((workspace) => workspace.remove())));
}

function agentModule(folder: string): string {
  return `
    import { setTimeout as wait } from "node:timers/promises";
    export default async ({ n }) => {
      await globalThis.rowcallTestHooks?.get(${JSON.stringify(folder)})?.onRow(Number(n));
      if (process.env.AGENT_MS) await wait(Number(process.env.AGENT_MS));
      if (n % 10 === 3) throw new Error("no luck with " + n);
      return { structured_output: { double: n * 2 } };
    };
  `;
}
