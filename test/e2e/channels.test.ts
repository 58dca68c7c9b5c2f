import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { channels, visitChannels, type Visit } from "../channels/visit-channels.ts";

const idsOf = (...reaches: readonly string[]): readonly string[] =>
  channels
    .filter(({ reach }) => reaches.includes(reach))
    .map(({ id }) => id)
    .toSorted();

function assertNothingLeaked({ leaked, reached, forbiddenConnections, passedBy }: Visit): void {
  assert.deepEqual([...leaked], []);
  assert.equal(forbiddenConnections, 0);
  assert.deepEqual(passedBy, []);
  // It was blocked, and not broken: the same ways lead to the allowed host.
  const missing = idsOf("all").filter((id) => !reached.has(id));
  assert.deepEqual(missing, []);
}

describe("channels out of the browser", () => {
  it("are all open in a browser by itself, so that a leak would be seen", async () => {
    const { leaked } = await visitChannels("unprotected");
    const unseen = idsOf("all", "direct").filter((id) => !leaked.has(id));
    assert.deepEqual(unseen, []);
    assert.ok(leaked.size >= 100, `only ${leaked.size}`);
  });

  it("lead to allowed hosts alone", async () => {
    assertNothingLeaked(await visitChannels("default"));
  });

  it("lead to allowed hosts alone where the way out is a proxy, and through that proxy", async () => {
    const visit = await visitChannels("upstream proxy");
    assertNothingLeaked(visit);
    assert.ok(visit.askedOfUpstream.length >= idsOf("all").length);
  });
});
