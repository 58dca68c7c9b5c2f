import assert from "node:assert/strict";
import { glob, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { after, before, describe, it, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../../src/core/json.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { createTestIo } from "../fakes/io.ts";
import { createWorkspace, type Workspace } from "../fakes/workspace.ts";
import { allCommands } from "./cli-commands.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const commands = await allCommands();
const everywhere = optionsOf("rowcall");

/** Options that texts name without a command, by the file of the text: those that the commands which print it have. */
const toldTo: Readonly<Record<string, readonly string[]>> = {
  "src/cli/commands/batch-options.ts": ["run", "plan", "try"],
  "src/cli/commands.ts": ["run", "plan"],
  "src/cli/option-use.ts": ["run", "plan", "export"],
  "src/server/start-server.ts": ["serve"],
  "src/server/stepfunctions/start-endpoint.ts": ["serve"],
  "src/cli/mcp/allowed-places.ts": ["mcp"],
  "src/app/agent-checks.ts": ["plan"],
  "src/app/aws-checks.ts": ["plan"],
  "src/engines/aws/aws-engine.ts": ["run"],
  "src/engines/aws/send-batch.ts": ["run"],
  "src/app/estimate.ts": ["plan"],
  "src/runs/journal.ts": ["run"],
  "src/engines/local/local-engine.ts": ["run"],
  "src/runs/new-run.ts": ["run"],
  "src/cli/doctor/privacy-findings.ts": ["serve"],
  "src/attempt/allowed-modules.ts": ["serve", "worker", "sandbox"],
  "src/runs/output-uri.ts": ["run", "plan", "export"],
  "src/table/pick-row.ts": ["try"],
  "src/app/plan.ts": ["plan"],
  "src/app/state-machines/open-executions.ts": ["serve"],
  "src/server/listen.ts": ["serve", "mcp"],
  "src/server/security/access.ts": ["serve"],
  "src/server/uploads.ts": ["serve"],
};
/** Arguments of other programs. */
const foreign =
  /^src\/(agents\/browser\/chromium\/(browser-process|bundled-chromium|chromium)|agents\/function\/function-child|agents\/lambda\/lambda-errors|cli\/young-generation|runs\/attempt-log|engines\/aws\/seven-steps|cli\/sandbox\/(broadband|worker-process))\.ts$/;

function optionsOf(path: string): ReadonlySet<string> {
  const options = commands.get(path)?.options ?? [];
  return new Set([...options.flatMap(({ long }) => long ?? []), "--help", "--json"]);
}

function hasOption(path: string, option: string): boolean {
  return everywhere.has(option) || optionsOf(path).has(option);
}

const named = (text: string): string[] => [...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([option]) => option);

interface Told {
  /** `rowcall rows --status`, and what is wrong about it. */
  readonly wrong: readonly string[];
  /** Options that stand without a command. */
  readonly bare: readonly string[];
}

/** What a text says about the command line. */
function readText(text: string): Told {
  const wrong: string[] = [];
  const rest = text.replace(/(?<![\w/-])rowcall ([a-z]+)((?: [^`\n(),;|]*)?)/g, (all, name: string, tail: string) => {
    const command = commands.get(`rowcall ${name}`);
    if (command === undefined) {
      if (tail.includes("--")) wrong.push(`There is no command in "${all}"`);
      return "";
    }
    const [, below = ""] = /^ ([a-z]+)/.exec(tail) ?? [];
    const path = commands.has(`rowcall ${name} ${below}`) ? `rowcall ${name} ${below}` : `rowcall ${name}`;
    const unknown = named(tail.replace(/\. .*/s, "")).filter((option) => !hasOption(path, option));
    if (unknown.length > 0) wrong.push(`"${all}": ${path} has no ${unknown.join(", ")}`);
    return "";
  });
  return { wrong, bare: named(rest) };
}

/** The texts of a source file, without comments; what is put into them is X. */
function textsOf(source: string): string[] {
  const texts = source
    .replace(/(?:\$\{)?cli\.suggestion\(`((?:[^`\\]|\\.)*)`\)\}?/g, "rowcall $1")
    .replace(/(?:\$\{)?cli\.suggestion\("([^"]*)"\)\}?/g, '"rowcall $1"')
    .matchAll(/\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g);
  return [...texts]
    .map(([text]) => text)
    .filter((text) => !text.startsWith("/"))
    .map((text) =>
      text
        .slice(1, -1)
        .replaceAll("\\`", "`")
        .replaceAll("${noun}", "agent")
        .replace(/\$\{[^}]*\}/g, "X"),
    );
}

test("texts of the code name only commands and options that there are", async () => {
  const wrong: string[] = [];
  for await (const file of glob("src/**/*.ts", { cwd: root, exclude: ["**/*.test.ts"] })) {
    if (foreign.test(file)) continue;
    const [, own] = /^src\/cli\/commands\/([a-z]+)-command\.ts$/.exec(file) ?? [];
    const paths = own === undefined ? toldTo[file] : [own];
    for (const text of textsOf(await readFile(new URL(file, `file://${root}`), "utf8"))) {
      const told = readText(text);
      wrong.push(...told.wrong.map((what) => `${file}: ${what}`));
      for (const option of told.bare) {
        // A definition, or a line of a longer command of another program.
        if (/^(-\w, |\s+)?--[a-z-]+( [<['].*)?$/.test(text) || everywhere.has(option)) continue;
        if (paths === undefined)
          wrong.push(
            `${file}: "${text}": name the command that has ${option}, or say in this test which ones print it`,
          );
        else if (!paths.every((path) => hasOption(`rowcall ${path}`, option)))
          wrong.push(`${file}: "${text}": not every one of ${paths.join(", ")} has ${option}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test("pages of the documentation name only commands and options that there are", async () => {
  const wrong: string[] = [];
  for await (const file of glob(["README.md", "docs/*.md"], { cwd: root })) {
    const page = await readFile(new URL(file, `file://${root}`), "utf8");
    wrong.push(...readText(page.replace(/\\\n\s*/g, "")).wrong.map((what) => `${file}: ${what}`));
  }
  assert.deepEqual(wrong, []);
});

describe("hints that commands print", () => {
  let workspace: Workspace;
  let taken: ReturnType<typeof createServer>;
  let port: string;

  before(async () => {
    workspace = await createWorkspace(3);
    taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const address = taken.address();
    assert.ok(address !== null && typeof address === "object");
    port = String(address.port);
    await workspace.write("bare.json", { agent: "doubler" });
    await workspace.write("other.json", { agent: "doubler", input: "rows.csv", output: "other/", name: "monday" });
    await workspace.write("strict.json", {
      ...(JSON.parse(await workspace.read("batch.json")) as JsonObject),
      output: "late.csv",
    });
    await workspace.write("there.csv", "not a table of ours");
    assert.equal((await rowcall("run", "batch.json", "--name", "monday")).code, 0);
    // Stopped before its table was written, and then something else took the place of the table.
    const stop = new AbortController();
    workspace.onRow = () => stop.abort();
    await rowcallUntil(stop.signal, "run", "strict.json", "--max-concurrency", "1", "--name", "stopped");
    workspace.onRow = () => {};
    await writeFile(workspace.at("late.csv"), "not a table of ours");
  });
  after(async () => {
    taken.close();
    await workspace.remove();
  });

  async function rowcallUntil(
    interrupted: AbortSignal,
    ...args: readonly string[]
  ): Promise<{ code: number; text: string }> {
    const io = createTestIo({ workingDirectory: workspace.folder });
    interrupted.addEventListener("abort", () => io.interrupt());
    const code = await runCli(args, io);
    return { code, text: `${io.out()}\n${io.err()}` };
  }
  const rowcall = (...args: readonly string[]): Promise<{ code: number; text: string }> =>
    rowcallUntil(new AbortController().signal, ...args);

  for (const [line, said] of [
    ["run batch.json --output there.csv", /OUTPUT_EXISTS|exists already/],
    ["run batch.json --output rows.csv --force", /is the input itself/],
    ["run bare.json --output x.csv", /input: missing/],
    ["run bare.json --input rows.csv", /output: missing/],
    ["run bare.json --input nowhere.csv --output x.csv", /no input/],
    ["run other.json", /belongs to/],
    ["run batch.json --agent-config nonsense", /--agent-config/],
    ["run batch.json --rows nonsense", /rows/],
    ["run batch.json --dispatch activity --engine aws", /--dispatch/],
    ["plan batch.json --output there.csv", /exists already/],
    ["plan bare.json", /names no input/],
    ["plan", /batch/],
    ["plan --table nonsense", /--table/],
    ["try bare.json", /input/],
    ["resume stopped", /exists already/],
    ["resume nothing", /no run/],
    ["rerun monday", /--failed/],
    ["rerun stopped --failed", /interrupted/],
    ["rerun monday --failed --code NONSENSE", /NONSENSE/],
    ["export monday --output there.csv", /exists already/],
    ["export monday --output x.pdf", /cannot be written/],
    ["export stopped --mapping nowhere.yaml", /nowhere/],
    ["update monday", /--max-concurrency/],
    ["rows nothing", /no run/],
    ["show nothing", /no run/],
    ["serve --host 0.0.0.0", /--tls-cert/],
    ["serve --aws-endpoint --tls-cert nowhere.pem", /--tls-key/],
    ["serve --stage dev", /--aws-endpoint/],
    ["serve --port PORT", /is taken/],
    ["mcp --http --port PORT", /is taken/],
    ["mcp --port 80", /--http/],
    ["worker --activity-arn nonsense", /nonsense/],
    ["agents publish nowhere.json", /nowhere/],
    ["agents copy doubler --to nowhere:", /nowhere/],
  ] as const) {
    it(`name only what there is: rowcall ${line}`, async () => {
      const args = line.replace("PORT", port).split(" ");
      const { code, text } = await rowcall(...args);
      assert.notEqual(code, 0, text);
      assert.match(text, said);
      const { wrong, bare } = readText(text);
      const path =
        [`rowcall ${args[0]} ${args[1]}`, `rowcall ${args[0]}`].find((one) => commands.has(one)) ?? "rowcall";
      const unknown = bare.filter((option) => !hasOption(path, option));
      assert.deepEqual([...wrong, ...unknown], [], text);
    });
  }
});
