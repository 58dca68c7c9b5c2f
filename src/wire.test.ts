import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { wire } from "./wire.ts";

const own = fileURLToPath(new URL("../registry", import.meta.url));

test("places come from options, else from the environment, else from the working directory", () => {
  const workingDirectory = "/work/jobs";
  const usual = wire({ workingDirectory, env: { ROWCALL_DATA_DIR: "" } });
  assert.equal(usual.dataDirectory, join(workingDirectory, ".rowcall"));
  assert.deepEqual(usual.registryDirectories, [join(workingDirectory, "registry"), own]);
  assert.equal(usual.services.chromiumPath, undefined);

  const env = {
    ROWCALL_DATA_DIR: "data",
    ROWCALL_REGISTRY: ["a", "/b"].join(delimiter),
    ROWCALL_CHROMIUM: "chrome",
    TOKEN: "t",
  };
  const set = wire({ workingDirectory, env });
  assert.equal(set.dataDirectory, "/work/jobs/data");
  assert.deepEqual(set.registryDirectories, ["/work/jobs/a", "/b", own]);
  assert.equal(set.services.chromiumPath, "/work/jobs/chrome");
  assert.equal(set.services.secret("TOKEN"), "t");

  assert.equal(set.recordingsPrefix, "/work/jobs/data/recordings");
  const bucket = wire({ workingDirectory, env: { ROWCALL_RECORDINGS: "s3://recordings/" } });
  assert.equal(bucket.recordingsPrefix, "s3://recordings/");
  assert.equal(wire({ workingDirectory, env: { ROWCALL_RECORDINGS: "kept" } }).recordingsPrefix, "/work/jobs/kept");

  const chosen = wire({ workingDirectory, env, dataDirectory: "/d", registryDirectories: ["r"], chromiumPath: "/c" });
  assert.equal(chosen.dataDirectory, "/d");
  assert.deepEqual(chosen.registryDirectories, ["/work/jobs/r", own]);
  assert.equal(chosen.services.chromiumPath, "/c");
});
