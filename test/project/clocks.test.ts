import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Files that may ask the machine for the time of day: where it is a default, goes into a log, or is handed on as the clock. */
const askTheTime = [
  "src/agents/http-agent.ts",
  "src/agents/stepfunctions-agent.ts",
  "src/cli/main.ts",
  "src/cli/run-cli.ts",
  "src/cli/stdout.ts",
  "src/cli/print/worker-log.ts",
  "src/runs/execution-journal.ts",
  "src/runs/machine-clocks.ts",
  "src/stores/open-store.ts",
];

/** Files that may reckon with the time of day, and why a clock that is set does no harm there. */
const reckonWithTheTime: Readonly<Record<string, string>> = {
  "src/agents/stepfunctions/execution-poller.ts": "compared with AWS's own times",
  "src/cli/commands/delete-command.ts": "compared with times at which runs ended, days ago",
  "src/engines/local/execute.ts": "when a wait will be over, for people",
  "src/runs/execution-journal.ts": "kept for days, by later processes",
  "src/engines/local/tell-waits.ts": "a time that was told to people, for people",
  "src/server/kept-files.ts": "compared with times at which files were written, days ago",
  "src/server/security/session.ts": "a session outlives the process",
};

test("what waits or measures does so by a clock that nobody can set", async () => {
  const asking: string[] = [];
  const reckoning: string[] = [];
  for await (const name of glob("src/**/*.{ts,js}", { cwd: root })) {
    if (name.endsWith(".test.ts")) continue;
    const code = (await readFile(`${root}${name}`, "utf8")).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
    if (/\bDate\.now\b|new Date\(\)/.test(code)) asking.push(name);
    if (/\bclock\(\)\s*[-+<>]|(?<!=)[-+<>]=?\s*(?:\w+\.)*clock\(\)/.test(code)) reckoning.push(name);
  }
  const hint = "durations and waits are reckoned with `monotonic`, not with the time of day";
  assert.deepEqual(asking.toSorted(), askTheTime.toSorted(), hint);
  assert.deepEqual(reckoning.toSorted(), Object.keys(reckonWithTheTime).toSorted(), hint);
});
