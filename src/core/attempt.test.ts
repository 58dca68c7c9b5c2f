import assert from "node:assert/strict";
import { test } from "node:test";
import { mainArtifact, type Artifact } from "./attempt.ts";

function artifact(name: string, contentType: string): Artifact {
  return { name, uri: `memory:${name}`, contentType };
}

const trace = artifact("trace.zip", "application/zip");
const before = artifact("before.png", "image/png");
const final = artifact("final.png", "image/png");
const video = artifact("video.webm", "video/webm");

test("a video shows best what happened, wherever it stands", () => {
  assert.equal(mainArtifact([video, before, trace]), video);
});

test("without a video the last screenshot does", () => {
  assert.equal(mainArtifact([before, final, trace]), final);
});

test("without pictures the last file does, and without files nothing", () => {
  assert.equal(mainArtifact([artifact("log.txt", "text/plain"), trace]), trace);
  assert.equal(mainArtifact([]), undefined);
});
