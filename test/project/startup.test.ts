import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const launcher = fileURLToPath(new URL("../../bin/rowcall.js", import.meta.url));
const recorder = new URL("record-modules.ts", import.meta.url).href;

/** Addresses of the modules that a command loads. */
async function modulesOf(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-modules-"));
  try {
    const list = join(folder, "modules.json");
    const env = { ...process.env, ...more, RECORD_MODULES: list };
    await run(process.execPath, ["--import", recorder, launcher, ...args], { env, cwd: folder });
    return JSON.parse(await readFile(list, "utf8")) as readonly string[];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const heavy = [
  "playwright-core",
  "@sparticuz/chromium",
  "mediabunny",
  "@aws-sdk",
  "hono",
  "@hono/node-server",
  "@modelcontextprotocol/sdk",
  "@opentelemetry",
];

for (const args of [["--help"], ["--version"], ["run", "--help"], ["mcp", "--help"]]) {
  test(`rowcall ${args.join(" ")} loads no browser, server, cloud or telemetry library and no database`, async () => {
    const modules = await modulesOf(args);
    assert.ok(modules.some((address) => address.includes("/commander/")));
    assert.deepEqual(
      modules.filter((address) => heavy.some((name) => address.includes(`/node_modules/${name}/`))),
      [],
    );
    assert.ok(!modules.includes("node:sqlite"));
  });
}

for (const [command, ROWCALL_REGISTRY] of [
  ["agents", ""],
  ["runs", "dynamodb:AgentRegistry-prod"],
] as const) {
  test(`rowcall ${command} loads no cloud library, since no table is used`, async () => {
    const modules = await modulesOf([command], { ROWCALL_REGISTRY });
    assert.ok(modules.some((address) => address.endsWith("/registry/open-registry.ts")));
    assert.deepEqual(
      modules.filter((address) => address.includes("/node_modules/@aws-sdk/")),
      [],
    );
  });
}

test("an engine loads OpenTelemetry when a collector is named, and only then", async () => {
  const loads = async (OTEL_EXPORTER_OTLP_ENDPOINT: string): Promise<boolean> => {
    const modules = await modulesOf(["runs"], { OTEL_EXPORTER_OTLP_ENDPOINT });
    assert.ok(modules.some((address) => address.endsWith("/engines/local/local-engine.ts")));
    return modules.some((address) => address.includes("/node_modules/@opentelemetry/"));
  };
  assert.equal(await loads(""), false);
  assert.equal(await loads("http://127.0.0.1:4318"), true);
});
