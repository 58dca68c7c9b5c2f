import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

const kills = 20;
const rows = 600;
const concurrency = 4;
const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

// Every call leaves a line in a log of the agent's own: what ran is told by the agent, not by the journal under test.
const agentModule = `
import { appendFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
export default async (input) => {
  appendFileSync(process.env.AGENT_LOG, input.n + "\\n");
  if (process.env.AGENT_IS_QUICK === undefined) await wait(2 + (Number(input.n) * 7) % 9);
  if (Number(input.n) % 10 === 3) throw new Error("no luck with " + input.n);
  return { structured_output: { double: Number(input.n) * 2 } };
};
`;

describe("a run that is killed", () => {
  let directory: string;
  const at = (...names: string[]): string => join(directory, ...names);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "rowcall-kill-"));
    await writeFile(at("agent.mjs"), agentModule);
    await writeFile(at("in.csv"), `n,text\n${Array.from({ length: rows }, (_, i) => `${i},"row, ${i}"\n`).join("")}`);
    const agent = {
      agent_name: "doubler",
      version: "1.0.0",
      kind: "function",
      config: { module: at("agent.mjs") },
      structured_output: { enabled: true, output_fields: ["double"] },
    };
    const batch = {
      agent_name: "doubler",
      input: at("in.csv"),
      execution_config: { max_concurrency: concurrency, retry_strategy: { max_attempts: 1, interval_seconds: 0 } },
    };
    await Promise.all([
      writeFile(at("doubler_v1.0.0.json"), JSON.stringify(agent)),
      writeFile(at("batch.json"), JSON.stringify(batch)),
    ]);
    await rowcall("agents", "publish", at("doubler_v1.0.0.json"), "--registry", at("registry"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  function start(log: string, ...args: string[]): ChildProcess {
    return startWith({ AGENT_LOG: at(log) }, ...args);
  }
  function startWith(env: NodeJS.ProcessEnv, ...args: string[]): ChildProcess {
    return spawn(process.execPath, [cli, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
  async function rowcall(...args: string[]): Promise<number> {
    const child = start("unused.log", ...args);
    let errors = "";
    child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    assert.ok(code === 0 || code === 3, `rowcall ${args[0]} ended with ${code}: ${errors}`);
    return code;
  }
  async function calls(log: string): Promise<string[]> {
    return existsSync(at(log)) ? (await readFile(at(log), "utf8")).split("\n").slice(0, -1) : [];
  }
  async function finish(log: string, ...args: string[]): Promise<void> {
    const [code] = (await once(start(log, ...args), "close")) as [number];
    assert.equal(code, 3);
  }
  const run = (data: string, output: string): string[] => [
    "run",
    at("batch.json"),
    "--registry",
    at("registry"),
    "--data-dir",
    at(data),
    "--name",
    "killed",
    "--output",
    at(output),
  ];
  const mask = (csv: string): string => csv.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+/g, "T,MS");

  it(`ends after ${kills} SIGKILLs and resumes as if nothing had happened, and no decided row is called again`, async () => {
    await finish("calm.log", ...run("calm", "calm.csv"));

    for (let kill = 1; kill <= kills; kill += 1) {
      const decided = decidedRows(at("killed", "journal.db"));
      const before = await calls("killed.log");
      const child = start(
        "killed.log",
        ...(kill === 1
          ? run("killed", "killed.csv")
          : ["resume", "killed", "--registry", at("registry"), "--data-dir", at("killed")]),
      );
      const closed = once(child, "close");
      // At a random call of a random share of what is left, so that every kill falls into the run.
      const enough = before.length + 1 + Math.floor((Math.random() * 2 * rows) / (kills + 5));
      while (child.exitCode === null && (await calls("killed.log")).length < enough)
        await new Promise((wake) => setTimeout(wake, 1));
      child.kill("SIGKILL");
      await closed;
      const again = (await calls("killed.log")).slice(before.length).filter((n) => decided.has(n));
      assert.deepEqual(again, [], `rows that were decided before kill ${kill} were called again`);
    }

    const decided = decidedRows(at("killed", "journal.db"));
    assert.ok(decided.size < rows, "the last kill came after the end: there was nothing left to resume");
    const before = await calls("killed.log");
    await finish("killed.log", "resume", "killed", "--registry", at("registry"), "--data-dir", at("killed"));
    assert.deepEqual(
      (await calls("killed.log")).slice(before.length).filter((n) => decided.has(n)),
      [],
    );
    assert.equal(mask(await readFile(at("killed.csv"), "utf8")), mask(await readFile(at("calm.csv"), "utf8")));
    assert.equal(decidedRows(at("killed", "journal.db")).size, rows);
  });

  it("loses no more calls than twice max_concurrency, however early it is killed and however quick the agent is", async () => {
    const many = 50_000;
    await writeFile(at("many.csv"), `n,text\n${Array.from({ length: many }, (_, i) => `${i},\n`).join("")}`);
    const journal = at("quick", "journal.db");
    const env = { AGENT_LOG: at("quick.log"), AGENT_IS_QUICK: "yes" };
    for (let kill = 1; kill <= 8; kill += 1) {
      const [called, ended] = [(await calls("quick.log")).length, endedAttempts(journal)];
      const child = startWith(
        env,
        ...(kill === 1
          ? [...run("quick", "quick.csv"), "--input", at("many.csv")]
          : ["resume", "killed", "--registry", at("registry"), "--data-dir", at("quick")]),
      );
      const closed = once(child, "close");
      // At its first calls, and at some later ones.
      const enough = called + 1 + Math.floor(Math.random() * (kill % 2 === 0 ? 1000 : 30));
      while (child.exitCode === null && (await calls("quick.log")).length < enough)
        await new Promise((wake) => setTimeout(wake, 1));
      child.kill("SIGKILL");
      await closed;
      const lost = (await calls("quick.log")).length - called - (endedAttempts(journal) - ended);
      assert.ok(lost <= 2 * concurrency, `kill ${kill} lost ${lost} calls`);
    }
    assert.ok(decidedRows(journal).size < many, "the last kill came after the end");
  });
});

// Read beside Rowcall's own code: what a reader of the file finds committed.
function decidedRows(path: string): Set<string> {
  return new Set(committed(path, "SELECT row FROM attempts WHERE standing = 2").map(({ row }) => String(row)));
}

// Those that a kill cut off are closed by the next resume, and did not end.
function endedAttempts(path: string): number {
  return committed(path, "SELECT row FROM attempts WHERE standing <> 0 AND code IS NOT 'INTERRUPTED'").length;
}

function committed(path: string, query: string): Record<string, unknown>[] {
  if (!existsSync(path)) return [];
  const database = new DatabaseSync(path);
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}
