import assert from "node:assert/strict";
import { test } from "node:test";
import { recordingsUri } from "./recordings-uri.ts";

test("recordings are under the usual or the batch's prefix, each run's in a place of its own, named by URI", () => {
  const places = [undefined, "/data/my recordings/", "file:///data/recordings", "memory:recordings"].map((prefix) =>
    recordingsUri(
      { recording: { level: "screenshot", ...(prefix === undefined ? {} : { prefix }) } },
      "/data/recordings",
      "r1",
    ),
  );
  assert.deepEqual(places, [
    "file:///data/recordings/r1",
    "file:///data/my%20recordings/r1",
    "file:///data/recordings/r1",
    "memory:recordings/r1",
  ]);
});
