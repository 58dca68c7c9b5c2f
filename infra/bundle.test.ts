import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { browserPackages, bundle, root } from "./bundle.ts";
import { ownEntries } from "./entries.ts";

const run = promisify(execFile);

describe("a bundle", () => {
  let folder: string;

  /** What an expression gives in a process that has a bundle, and no packages but those that are in it. */
  async function evaluate(out: string, expression: string): Promise<unknown> {
    const script = `const { handler } = await import(process.argv[1]); console.log(JSON.stringify(${expression}));`;
    const args = ["--input-type=module", "--eval", script, "--", join(out, "dist/index.mjs")];
    const { stdout } = await run(process.execPath, args, { cwd: out });
    return JSON.parse(stdout) as unknown;
  }

  async function entry(text: string): Promise<string> {
    const path = join(folder, "entry.ts");
    await writeFile(path, text);
    return path;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-bundle-"));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("runs where nothing is installed, and keeps in files of their own what is imported lazily", async () => {
    const path = await entry(`
      import { createS3Client } from "${root}src/stores/s3-client.ts";
      export const handler = async (): Promise<string> => typeof (await createS3Client({ endpoints: {}, region: "x" })()).getObject;
    `);
    const out = join(folder, "lazy");
    bundle(path, out, []);
    assert.equal(await evaluate(out, "await handler()"), "function");
    const files = (await readdir(join(out, "dist"))).filter((file) => file.endsWith(".mjs"));
    assert.ok(files.length > 1);
    assert.ok((await readdir(join(out, "registry"))).includes("agents"));
  });

  test("takes packages along, with what they need, where it is told to", async () => {
    const path = await entry(`
      const { chromium } = await import("playwright-core");
      const { inflate } = await import("@sparticuz/chromium");
      export const handler = async (): Promise<string> => typeof chromium.launch + typeof inflate;
    `);
    const out = join(folder, "browser");
    bundle(path, out, browserPackages);
    assert.equal(await evaluate(out, "await handler()"), "functionfunction");
  });
});

test("the functions of this repository bundle, and load where nothing is installed", async () => {
  const entries = Object.values<string>({ ...ownEntries }).filter((path) => existsSync(path));
  assert.ok(entries.length === 0 || entries.length === 4, "some of src/lambda/ is missing");
  const folder = await mkdtemp(join(tmpdir(), "rowcall-functions-"));
  try {
    for (const path of entries) {
      const out = join(folder, basename(path));
      bundle(path, out, []);
      const script = "console.log(typeof (await import(process.argv[1])).handler);";
      const args = ["--input-type=module", "--eval", script, "--", join(out, "dist/index.mjs")];
      const { stdout } = await run(process.execPath, args, { cwd: out });
      assert.equal(stdout, "function\n", path);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
