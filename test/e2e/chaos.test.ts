import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runChaos } from "../chaos/chaos.ts";
import { kinds } from "../chaos/kinds.ts";

const killsOfKind = 3;
const seed = Date.now() % 1_000_000;

// The short form of `npm run chaos`, which tells what is counted, and repeats a seed.
describe(`runs that are killed at moments of every kind, seed ${seed}`, () => {
  for (const kind of Object.keys(kinds)) {
    it(`at ${kind}: no row is lost, doubled, disordered or called again, and few calls are made in vain`, async () => {
      const [found] = await runChaos({ kills: killsOfKind, seed, only: [kind] });
      assert.ok(found !== undefined);
      const { kills, rows, surplusMedian: _median, surplusMost: _most, ...wrong } = found;
      assert.ok(kills >= killsOfKind && rows > 0, `${kills} kills, ${rows} rows`);
      assert.deepEqual(wrong, { kind, lost: 0, doubled: 0, disordered: 0, again: 0, overBound: 0, faults: [] });
    });
  }
});
