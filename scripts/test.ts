import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { run } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { testGroups } from "./test-groups.ts";
import { reportOptions, watchForHangs } from "./test-hangs.ts";
import report from "./test-reporter.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const { values, positionals } = parseArgs({
  options: {
    coverage: { type: "boolean", default: false },
    // Seconds that a test or hook without a limit of its own may take: many times what the slowest one takes, as a busy machine is
    // several times slower.
    limit: { type: "string", default: "600" },
    // Seconds that a test process may show no sign of life; that it may live on after its last test; that everything may take.
    silence: { type: "string", default: "700" },
    exit: { type: "string", default: "120" },
    total: { type: "string", default: "5400" },
  },
  allowPositionals: true,
});
const patterns = positionals.length > 0 ? positionals : ["{src,test,examples,infra}/**/*.test.ts"];
const ms = (seconds: string): number => Number(seconds) * 1000;

const folder = await mkdtemp(join(tmpdir(), "rowcall-tests-"));
// Tests start some hundred processes of the same code: each uses what the ones before it have compiled. Coverage would be imprecise
// with that, so where it is measured, what end-to-end tests start is left out of it.
const compiled = join(folder, "compiled");
const unmeasured = join(folder, "unmeasured.mjs");
if (values.coverage) {
  await writeFile(
    unmeasured,
    `import { env } from "node:process";
delete env.NODE_V8_COVERAGE;
env.NODE_COMPILE_CACHE = ${JSON.stringify(compiled)};
`,
  );
} else {
  process.env["NODE_COMPILE_CACHE"] = compiled;
}
// A group is a process that imports its files: to start one for every file would take longer than most of them.
const files: string[] = [];
for (const group of await testGroups(root, patterns)) {
  const path = join(folder, `${group.name.replaceAll("/", "-")}.mjs`);
  const paths = group.files.map((file) => resolve(root, file));
  const imported = values.coverage && group.name.startsWith("test/e2e/") ? [unmeasured, ...paths] : paths;
  await writeFile(path, imported.map((file) => `import "${pathToFileURL(file).href}";\n`).join(""));
  files.push(path);
}
if (files.length === 0) throw new Error(`No test file matches ${patterns.join(" ")}`);

const events = run({
  files,
  cwd: root,
  isolation: "process",
  // More than there are cores: much of a test's time is waiting for processes, pages and time limits.
  concurrency: availableParallelism() * 2 + 1,
  timeout: ms(values.limit),
  execArgv: reportOptions(folder),
  ...(values.coverage && {
    coverage: true,
    coverageIncludeGlobs: ["src/**/*.ts"],
    coverageExcludeGlobs: ["**/*.test.ts", "src/agents/browser/page/in-page/**"],
    lineCoverage: 96,
    branchCoverage: 91,
    functionCoverage: 95,
  }),
});
events.on("test:fail", () => (process.exitCode = 1));
const watch = watchForHangs(events, files, folder, {
  silenceMs: ms(values.silence),
  exitMs: ms(values.exit),
  totalMs: ms(values.total),
});
for await (const text of report(events)) process.stdout.write(text);
watch.stop();
await rm(folder, { recursive: true, force: true });
