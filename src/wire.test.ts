import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { wire } from "./wire.ts";

test("places come from options, else from the environment, else from the working directory", () => {
  const workingDirectory = "/work/jobs";
  const usual = wire({ workingDirectory, env: { ROWCALL_DATA_DIR: "" } });
  assert.equal(usual.dataDirectory, join(workingDirectory, ".rowcall"));
  assert.deepEqual(usual.registries, [join(workingDirectory, "registry")]);
  assert.equal(usual.services.chromiumPath, undefined);

  const env = {
    ROWCALL_DATA_DIR: "data",
    ROWCALL_REGISTRY: ["a", "/b"].join(delimiter),
    ROWCALL_CHROMIUM: "chrome",
    TOKEN: "t",
  };
  const set = wire({ workingDirectory, env });
  assert.equal(set.dataDirectory, "/work/jobs/data");
  assert.deepEqual(set.registries, ["/work/jobs/a", "/b"]);
  assert.equal(set.services.chromiumPath, "/work/jobs/chrome");
  assert.equal(set.services.secret("TOKEN"), "t");

  const chosen = wire({ workingDirectory, env, dataDirectory: "/d", registries: ["r"], chromiumPath: "/c" });
  assert.equal(chosen.dataDirectory, "/d");
  assert.deepEqual(chosen.registries, ["/work/jobs/r"]);
  assert.equal(chosen.services.chromiumPath, "/c");
});
