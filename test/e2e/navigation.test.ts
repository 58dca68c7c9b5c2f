import assert from "node:assert/strict";
import { test } from "node:test";
import { runNavigationRows } from "../fakes/navigation-rows.ts";
import { navigationKinds } from "../fakes/navigation-site.ts";

test(
  "what a row reads after an action is on the page that the action leads to, in whichever way it does",
  { timeout: 600_000 },
  async () => {
    const kinds = Object.keys(navigationKinds);
    const tallies = await runNavigationRows({ rows: 2 * kinds.length, concurrency: 4, longestDelayMs: 400 });
    const told = [...tallies].map(([kind, { right, wrong, failed, example }]) => ({
      kind,
      right,
      wrong,
      failed,
      example,
    }));
    assert.deepEqual(
      told,
      kinds.map((kind) => ({ kind, right: 2, wrong: 0, failed: 0, example: "" })),
    );
  },
);
