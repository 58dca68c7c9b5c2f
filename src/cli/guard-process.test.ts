import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { RowReport } from "../core/engine.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Printed {
  readonly counts: { readonly succeeded: number; readonly failed: number };
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
}

let workspace: Workspace;

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    cwd: workspace.folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number]>,
  ]);
  return { code, out, err };
}

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const rowcall = (...args: readonly string[]): Promise<Ended> => start([main, ...args]);
const parse = (text: string): Printed => JSON.parse(text) as Printed;

async function messages(): Promise<readonly (string | undefined)[]> {
  const { out } = await rowcall("rows", "last", "--json");
  return out
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as RowReport).attempts.at(-1)?.outcome)
    .map((outcome) => (outcome?.status === "failed" ? `${outcome.code} ${outcome.message}` : undefined));
}

const noRawStack = (err: string): void => assert.doesNotMatch(err, /^\s+at |Node\.js v\d/m);

describe("an agent whose errors nobody catches", () => {
  useWorkspace(8, (made) => (workspace = made));

  it("fails the row that was in flight, whatever way the error takes, and no other", async () => {
    await workspace.write(
      "agent.mjs",
      `import { EventEmitter, once } from "node:events";
       import { createReadStream } from "node:fs";
       import { connect } from "node:net";
       const strays = [
         () => void Promise.reject(new Error("a rejection")),
         () => void setTimeout(() => { throw new Error("a timer"); }),
         () => void setTimeout(() => new EventEmitter().emit("error", new Error("an event"))),
         () => void createReadStream("/nowhere"),
         () => void Promise.reject(5),
         () => queueMicrotask(() => { throw new Error("a microtask"); }),
         () => void connect({ path: "/nobody" }),
       ];
       export default async ({ n }, { signal }) => {
         strays[n]?.();
         if (n < strays.length) await once(signal, "abort");
         return { structured_output: { double: n * 2 } };
       };`,
    );
    const { code, out, err } = await rowcall("run", "batch.json", "--json");
    noRawStack(err);
    assert.equal(code, 3);
    assert.deepEqual(parse(out).counts, { total: 8, succeeded: 1, failed: 7, pending: 0, inFlight: 0 });
    assert.deepEqual(await messages(), [
      "AGENT_FAILED a rejection",
      "AGENT_FAILED a timer",
      "AGENT_FAILED an event",
      "AGENT_FAILED ENOENT: no such file or directory, open '/nowhere'",
      "AGENT_FAILED 5",
      "AGENT_FAILED a microtask",
      "AGENT_FAILED connect ENOENT /nobody",
      undefined,
    ]);
  });

  it("is a warning when the row is decided already, or when it comes from the module itself", async () => {
    await workspace.write(
      "agent.mjs",
      `let strays = 0;
       setTimeout(() => { throw new Error("of the module"); });
       export default async ({ n }) => {
         if (n < 7) setImmediate(() => setImmediate(() => { strays += 1; throw new Error("too late"); }));
         else while (strays < 7) await new Promise((resolve) => setTimeout(resolve, 1));
         return { structured_output: { double: n * 2 } };
       };`,
    );
    const { code, out, err } = await rowcall("run", "batch.json", "--json");
    noRawStack(err);
    assert.equal(code, 0);
    const { warnings } = parse(out);
    assert.equal(warnings[0]?.message, "The agent of row 0 failed after its attempt was over: too late");
    assert.match(warnings[0]?.hint ?? "", /without await/);
    assert.equal(warnings.length, 6);
    assert.match(warnings[5]?.message ?? "", /not shown/);
    assert.match(err, /^warning: Agent doubler failed outside of its attempts: of the module$/m);
  });

  it("is told by try too", async () => {
    await workspace.write(
      "agent.mjs",
      `import { once } from "node:events";
       export default async (input, { signal }) => { Promise.reject(new Error("a rejection")); await once(signal, "abort"); };`,
    );
    const { code, out, err } = await rowcall("try", "batch.json", "--json");
    noRawStack(err);
    assert.equal(code, 3);
    assert.match(out, /"code":"AGENT_FAILED","message":"a rejection"/);
  });
});

describe("an agent that ends the process", () => {
  useWorkspace(4, (made) => (workspace = made));

  it("fails its row, and the others run", async () => {
    await workspace.write(
      "agent.mjs",
      `import { exit } from "node:process";
       const ends = [() => process.exit(0), () => exit(9), () => process.abort()];
       export default ({ n }) => { ends[n]?.(); return { structured_output: { double: n * 2 } }; };`,
    );
    const { code, out, err } = await rowcall("run", "batch.json", "--json");
    noRawStack(err);
    assert.deepEqual([code, parse(out).counts.failed], [3, 3]);
    assert.deepEqual(await messages(), [
      "AGENT_CRASHED The agent called process.exit(0)",
      "AGENT_CRASHED The agent called process.exit(9)",
      "AGENT_CRASHED The agent called process.abort()",
      undefined,
    ]);
    assert.match(await workspace.read("out.csv"), /^3,"row, 3",6,SUCCESS/m);
  });

  it("is told when it cannot be kept from it, and the exit code is not 0", async () => {
    const script = `
      import { guardProcess } from ${JSON.stringify(new URL("guard-process.ts", import.meta.url).href)};
      import { runAttempt } from ${JSON.stringify(new URL("../attempt/run-attempt.ts", import.meta.url).href)};
      guardProcess({ warn: () => {}, explain: (error) => { console.log(error.code, error.message); return 1; } });
      void runAttempt({
        invoker: { invoke: () => new Promise(() => {}), close: async () => {} }, extract: () => {}, runId: "r",
        timeoutMs: 60_000, clock: Date.now, monotonic: () => performance.now(), saveArtifact: async () => "",
      }, {}, 7, 1);
      setTimeout(() => process.exit(0));`;
    const { code, out } = await start(["--input-type=module", "--eval", script]);
    assert.deepEqual(
      [code, out],
      [1, "AGENT_CRASHED The agent ended the process: process.exit was called while row 7 was in flight\n"],
    );
  });
});

describe("an error of our own", () => {
  useWorkspace(1, (made) => (workspace = made));

  it("still ends the process when nothing catches it, with a sentence and the code UNEXPECTED", async () => {
    await workspace.write(
      "late.mjs",
      `const timer = setInterval(() => {
         if (process.listenerCount("uncaughtException") === 0) return;
         clearInterval(timer);
         throw new Error("a slip");
       }, 5);`,
    );
    const { code, err } = await start(["--import", "./late.mjs", main, "run", "batch.json"], { AGENT_MS: "60000" });
    assert.equal(code, 1);
    assert.match(err, /^error \(UNEXPECTED\): a slip$/m);
    noRawStack(err);
  });
});

describe("an agent that prints", () => {
  useWorkspace(2, (made) => (workspace = made));

  it("prints on standard error, so that standard output is data alone", async () => {
    await workspace.write(
      "agent.mjs",
      `console.log("loaded");
       export default ({ n }) => {
         console.log("chatter"); process.stdout.write("more\\n"); console.info("and more");
         return { structured_output: { double: n * 2 } };
       };`,
    );
    const table = await rowcall("run", "batch.json", "--output", "-", "--quiet");
    assert.equal(table.code, 0);
    assert.match(table.out, /^n,text,double,_status[^\n]*\n0,"row, 0",0,SUCCESS[^\n]*\n1,"row, 1",2,SUCCESS[^\n]*\n$/);
    assert.match(table.err, /^loaded\n(?:chatter\nmore\nand more\n){2}/);
    const tried = await rowcall("try", "batch.json", "--json");
    assert.ok(JSON.parse(tried.out));
    assert.match(tried.err, /chatter/);
  });
});
