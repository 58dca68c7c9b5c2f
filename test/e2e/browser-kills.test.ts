import assert from "node:assert/strict";
import process from "node:process";
import { it } from "node:test";
import { killBrowsers } from "../chaos/browser-kills.ts";

// Processes are found in /proc or by ps; `node test/chaos/browser-kills.ts` is the long form.
it(
  "a run whose browsers are killed and frozen ends with every row right, and leaves nothing behind",
  {
    skip: process.platform === "win32",
  },
  async () => {
    const [run] = await killBrowsers({ kills: 10, seed: 11, killsPerRun: 10, rows: 24 });
    assert.deepEqual(run?.faults, []);
    assert.deepEqual([run?.succeeded, run?.failed], [24, []]);
  },
);
