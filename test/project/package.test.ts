import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

describe("the packed package, installed", () => {
  /** A folder of somebody who installs the package; its path has spaces and a character beyond ASCII. */
  let folder: string;
  let installed: string;

  const node = (...args: readonly string[]): Promise<Ended> => run(process.execPath, args, { cwd: folder });
  const rowcall = (...args: readonly string[]): Promise<Ended> => node(join(installed, "bin/rowcall.js"), ...args);

  // On Windows npm is no program but a script for a shell; npm says where its own is.
  const npmScript = process.env["npm_execpath"];
  const [command, ...first] = npmScript === undefined ? ["npm"] : [process.execPath, npmScript];
  const npm = (cwd: string, ...args: readonly string[]): Promise<Ended> =>
    run(command ?? "npm", [...first, ...args], { cwd, maxBuffer: 2 ** 26 });

  before(async () => {
    folder = join(await mkdtemp(join(tmpdir(), "rowcall-package-")), "a folder with späces");
    await mkdir(folder);
    await npm(root, "pack", "--pack-destination", folder);
    const [tarball = ""] = await readdir(folder);
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "somebody", private: true, type: "module" }));
    await npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", "--no-save", `./${tarball}`);
    installed = join(folder, "node_modules/rowcall");
  });

  after(async () => {
    await rm(join(folder, ".."), { recursive: true, force: true });
  });

  test("the package holds what it needs and no tests or sources", async () => {
    const files = await readdir(installed, { recursive: true });
    const pages = ["dist/server/pages/assets/dashboard.css", "dist/server/pages/assets/live-run.js"];
    for (const file of ["LICENSE", "README.md", "bin/rowcall.js", "dist/index.js", "dist/index.d.ts", ...pages]) {
      assert.ok(files.includes(file), file);
    }
    const surplus = files.filter((file) => /\.test\.|(?<!\.d)\.ts$|^(?:src|test|bench|examples)\//.test(file));
    assert.deepEqual(surplus, []);
  });

  test("publint finds nothing to improve", async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg)),
      [],
    );
  });

  test("the installed command says its version and its help", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { readonly version: string };
    assert.equal((await rowcall("--version")).stdout.trim(), version);
    assert.match((await rowcall("--help")).stdout, /Usage: rowcall/);
  });

  test("npm links the command by its name", async () => {
    const { stdout } = await npm(folder, "exec", "--no", "--", "rowcall", "--version");
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  test("the package is imported by its name, and its schemas by theirs", async () => {
    const script = `
      import { RowcallError, errorTable } from "rowcall";
      import schema from "rowcall/schemas/batch.schema.json" with { type: "json" };
      console.log(new RowcallError("AGENT_FAILED", "no").retryable, "TIMEOUT" in errorTable, schema.type);
    `;
    const { stdout } = await node("--input-type=module", "--eval", script);
    assert.equal(stdout, "true true object\n");
  });

  test("its types serve a strict TypeScript program", async () => {
    const program = `
      import { RowcallError, type Batch, type Run } from "rowcall";
      export const code: string = new RowcallError("TIMEOUT", "late").code;
      export const status = (run: Run): string => run.status;
      export const agent = (batch: Batch): string => batch.agent.name;
    `;
    await writeFile(join(folder, "program.ts"), program);
    const options = ["--noEmit", "--strict", "--target", "es2024", "--module", "nodenext"];
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    await node(join(root, "node_modules/typescript/bin/tsc"), ...options, ...types, "program.ts");
  });

  test("the installed command runs a batch with a function agent", async () => {
    const agent = {
      agent_name: "doubler",
      version: "1.0.0",
      kind: "function",
      config: { module: "./double.js", export: "double" },
      structured_output: { enabled: true, output_fields: ["twice"] },
    };
    const batch = {
      agent: "doubler@1.0.0",
      input_mapping: { column_mappings: { number: "n" } },
      output_mapping: { add_metadata: false },
    };
    await mkdir(join(folder, "registry/agents"), { recursive: true });
    await writeFile(join(folder, "registry/agents/doubler_v1.0.0.json"), JSON.stringify(agent));
    await writeFile(join(folder, "batch.json"), JSON.stringify(batch));
    await writeFile(join(folder, "rows.csv"), "number\n1\n21\n");
    await writeFile(
      join(folder, "double.js"),
      "export const double = ({ n }) => ({ structured_output: { twice: Number(n) * 2 } });\n",
    );
    await rowcall("run", "batch.json", "--input", "rows.csv", "--output", "doubled.csv");
    assert.equal(await readFile(join(folder, "doubled.csv"), "utf8"), "number,twice\n1,2\n21,42\n");
  });
});
