import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const mask = (csv: string): string => csv.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+(?=,|$)/gm, "TIME,MS");

/** What a page says comes out: its last block of `csv`. */
async function promised(page: string): Promise<string> {
  const tables = (await readFile(pathOf(page), "utf8")).matchAll(/^```csv\n(.*?)^```$/gms);
  const [, csv = ""] = [...tables].at(-1) ?? [];
  assert.notEqual(csv, "", `${page} shows no table`);
  return mask(csv);
}

describe("examples give what their pages promise", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall examples "));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** The table that a batch of an example makes. */
  async function outputOf(example: string, ...args: readonly string[]): Promise<string> {
    const place = ["--output", join(folder, example, "/"), "--data-dir", join(folder, "data")];
    const registry = ["--registry", pathOf(`examples/${example}/registry`)];
    const command = [pathOf("src/cli/main.ts"), "run", pathOf(`examples/${example}/batch.json`)];
    const { stdout } = await promisify(execFile)(process.execPath, [...command, ...registry, ...place, ...args], {
      timeout: 570_000,
      killSignal: "SIGKILL",
    });
    return mask(await readFile(stdout.trimEnd(), "utf8"));
  }

  it("your first batch, with the files and commands of the page alone", async () => {
    const page = await readFile(pathOf("docs/getting-started.md"), "utf8");
    const place = join(folder, "first batch");
    const files = page.matchAll(/<!-- from examples\/function-agent\/(\S+) -->\n```\w+\n(.*?)^```$/gms);
    for (const [, name = "", text = ""] of files) {
      await mkdir(dirname(join(place, name)), { recursive: true });
      await writeFile(join(place, name), text);
    }
    await writeFile(join(place, "package.json"), JSON.stringify({ type: "module" }));
    const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block).join("");
    const commands = [...blocks.matchAll(/^npx rowcall (.*)$/gm)].map(([, args = ""]) => args.split(" "));
    assert.deepEqual(
      commands.map(([name]) => name),
      ["plan", "try", "run", "rows", "rows", "serve"],
    );
    let output = "";
    // The server runs until it is ended, and has tests of its own.
    for (const args of commands.filter(([name]) => name !== "serve")) {
      const { stdout } = await promisify(execFile)(process.execPath, [pathOf("src/cli/main.ts"), ...args], {
        cwd: place,
        timeout: 570_000,
        killSignal: "SIGKILL",
      });
      if (args[0] === "run") output = stdout.trimEnd();
    }
    assert.equal(mask(await readFile(resolve(place, output), "utf8")), await promised("docs/getting-started.md"));
  });

  it("function-agent", async () => {
    assert.equal(await outputOf("function-agent"), await promised("examples/function-agent/README.md"));
  });

  it("agent-kind", async () => {
    const main = pathOf("examples/agent-kind/main.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [main, join(folder, "agent-kind", "/")], {
      env: { ...process.env, ROWCALL_DATA_DIR: join(folder, "data of agent-kind") },
      timeout: 570_000,
      killSignal: "SIGKILL",
    });
    const table = mask(await readFile(stdout.trimEnd(), "utf8"));
    assert.equal(table, await promised("examples/agent-kind/README.md"));
  });

  it("library", async () => {
    const main = pathOf("examples/library/main.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [main, join(folder, "library", "/")], {
      env: { ...process.env, ROWCALL_DATA_DIR: join(folder, "data of library") },
      timeout: 570_000,
      killSignal: "SIGKILL",
    });
    const [, table = ""] = /^(.+): 6 of 6 rows succeeded\n$/.exec(stdout) ?? [];
    assert.equal(mask(await readFile(table, "utf8")), await promised("examples/function-agent/README.md"));
  });

  it("telemetry", async () => {
    const collector = spawn(process.execPath, [pathOf("examples/telemetry/collector.ts"), "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const lines = createInterface({ input: collector.stdout })[Symbol.asyncIterator]();
      const OTEL_EXPORTER_OTLP_ENDPOINT = String((await lines.next()).value);
      const example = pathOf("examples/function-agent");
      const args = ["run", join(example, "batch.json"), "--registry", join(example, "registry"), "--limit", "1"];
      const places = ["--output", join(folder, "traced", "/"), "--data-dir", join(folder, "traced")];
      await promisify(execFile)(process.execPath, [pathOf("src/cli/main.ts"), ...args, ...places], {
        env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT },
      });
      const tree = [await lines.next(), await lines.next(), await lines.next()].map(({ value }) => String(value));
      assert.match(
        tree[0] ?? "",
        /^run \d+ ms rowcall\.run\.id=\S+ rowcall\.agent=phone-country@1\.0\.0 rowcall\.rows=1 /,
      );
      assert.match(tree[1] ?? "", /^ {2}row \d+ ms rowcall\.row=0$/);
      assert.match(tree[2] ?? "", /^ {4}attempt \d+ ms rowcall\.row=0 rowcall\.attempt=1$/);
    } finally {
      collector.kill();
    }
  });

  it("http-agent", async () => {
    const server = spawn(process.execPath, [pathOf("examples/http-agent/server.ts"), "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [line] = (await once(server.stdout, "data")) as [Buffer];
      const url = line.toString().trim().replace("A-100", "{{sku}}");
      const output = await outputOf("http-agent", "--agent-config", JSON.stringify({ url }));
      assert.equal(output, await promised("examples/http-agent/README.md"));
    } finally {
      server.kill();
    }
  });
});
