import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { RowcallError } from "../../../core/errors.ts";
import { ownedPrefix } from "../../left-behind.ts";
import { machineProbes, type ChromiumProbes, findChromium, listChromiumCandidates } from "./chromium.ts";

/** A machine that has the given executables. */
function machine(executables: readonly string[], more: Partial<ChromiumProbes> = {}): ChromiumProbes {
  return {
    platform: "linux",
    arch: "arm64",
    home: "/home/ada",
    env: { PATH: "/usr/local/bin:/usr/bin" },
    executable: async (path) => executables.includes(path),
    files: async () => [],
    version: async (path) => ({ ok: true, output: `Chromium at ${path}` }),
    unpack: async () => ({ path: "/cache/chromium", libraries: "/cache/lib", fontsFile: "/cache/fonts.conf" }),
    ...more,
  };
}

describe("finding Chromium", () => {
  it("finds a browser that starts on this machine", async () => {
    const binary = await findChromium({});
    assert.match(binary.version, /\d+\.\d+/);
  });

  it("takes the explicit path and looks nowhere else", async () => {
    const binary = await findChromium({ explicitPath: "/opt/chrome" }, machine(["/opt/chrome", "/usr/bin/chromium"]));
    assert.deepEqual([binary.source, binary.path], ["explicit", "/opt/chrome"]);
    await assert.rejects(findChromium({ explicitPath: "/opt/none" }, machine(["/usr/bin/chromium"])), {
      code: "CHROMIUM_NOT_FOUND",
      message: "No Chromium that works was found. Tried explicit /opt/none: not an executable file",
    });
  });

  it("prefers the bundled headless shell to installed browsers", async () => {
    const binary = await findChromium(
      {},
      machine(["/usr/bin/google-chrome"], { arch: "x64", files: async (pattern) => [pattern] }),
    );
    assert.deepEqual([binary.source, binary.path, binary.env], ["bundled", "/cache/chromium", {}]);
  });

  it("brings libraries and fonts along where the system has none", async () => {
    const version: ChromiumProbes["version"] = async (_path, env) =>
      env["LD_LIBRARY_PATH"] === undefined
        ? { ok: false, output: "error while loading shared libraries: libnss3.so" }
        : { ok: true, output: "Chromium 153" };
    const binary = await findChromium(
      {},
      machine([], { arch: "x64", version, env: { LD_LIBRARY_PATH: "/usr/local/lib" } }),
    );
    assert.deepEqual(binary.env, {
      FONTCONFIG_FILE: "/cache/fonts.conf",
      LD_LIBRARY_PATH: "/cache/lib:/usr/local/lib",
    });
  });

  it("goes on when the bundled browser does not start", async () => {
    const version: ChromiumProbes["version"] = async (path) => ({
      ok: path !== "/cache/chromium",
      output: "wrong libc",
    });
    const binary = await findChromium({}, machine(["/usr/bin/chromium"], { arch: "x64", version }));
    assert.deepEqual([binary.source, binary.path], ["installed", "/usr/bin/chromium"]);
  });

  it("takes a full browser when one is asked for, never a headless shell", async () => {
    const probes = machine(["/usr/bin/chrome-headless-shell", "/usr/bin/chromium"], { arch: "x64" });
    assert.equal((await findChromium({ build: "full" }, probes)).path, "/usr/bin/chromium");
  });

  it("looks in the usual places of macOS and Windows", async () => {
    const chrome = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    assert.equal((await findChromium({}, machine([chrome], { platform: "darwin" }))).path, chrome);
    const edge = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe";
    const env = { PROGRAMFILES: "C:\\Program Files", "PROGRAMFILES(X86)": "C:\\Program Files (x86)" };
    assert.equal((await findChromium({}, machine([edge], { platform: "win32", env }))).path, edge);
  });

  it("takes the newest browser of Playwright's cache last", async () => {
    const cached = [9, 1200, 1199].map(
      (revision) => `/home/ada/.cache/ms-playwright/chromium_headless_shell-${revision}/chrome-linux/headless_shell`,
    );
    const files: ChromiumProbes["files"] = async (pattern) => (pattern.endsWith("/headless_shell") ? cached : []);
    const binary = await findChromium({}, machine(cached, { files }));
    assert.deepEqual([binary.source, binary.path], ["playwright-cache", cached[1]]);
  });

  it("says of every place that was tried why it was not taken", async () => {
    const probes = machine(["/usr/bin/chromium"], { version: async () => ({ ok: false, output: "snap is missing" }) });
    const error: unknown = await findChromium({}, probes).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof RowcallError);
    assert.match(
      error.message,
      /no browser for linux arm64.*installed \/usr\/bin\/chromium: does not start: snap is missing; playwright-cache \/home\/ada\/.cache\/ms-playwright: nothing there/,
    );
    assert.deepEqual(error.details["candidates"], await listChromiumCandidates({}, probes));
  });

  const bundled = process.platform === "linux" && process.arch === "x64";
  it("unpacks the bundled browser once and whole, and anew when it was cut, although several processes do it at the same time", async () => {
    if (!bundled) return;
    const cache = await mkdtemp(join(tmpdir(), "rowcall cache "));
    try {
      const script = `
        const { findChromium } = await import(${JSON.stringify(new URL("chromium.ts", import.meta.url).href)});
        console.log((await findChromium({})).path);`;
      const run = promisify(execFile);
      const env = { ...process.env, XDG_CACHE_HOME: cache };
      const findTwice = async (): Promise<string> => {
        const runs = await Promise.all(
          [1, 2].map(() => run(process.execPath, ["--input-type=module", "--eval", script], { env })),
        );
        const paths = new Set(runs.map(({ stdout }) => stdout.trim()));
        assert.equal(paths.size, 1);
        assert.deepEqual(await readdir(join(cache, "rowcall")), [basename(join([...paths][0]!, ".."))]);
        return [...paths][0]!;
      };
      const path = await findTwice();
      assert.equal((await machineProbes().version(path, {})).ok, true);

      // As a full disk, or a power cut, leaves it; and what a process that was killed while it unpacked leaves.
      const { size } = await stat(path);
      await truncate(path, size - 1);
      const dead = spawnSync(process.execPath, ["--eval", ""]).pid;
      const half = join(cache, "rowcall", ownedPrefix(`${basename(join(path, ".."))}.half`));
      await mkdir(`${half.replace(`.${process.pid}.`, `.${dead}.`)}abcdef`);
      assert.equal(await findTwice(), path);
      assert.equal((await stat(path)).size, size);
    } finally {
      await rm(cache, { recursive: true });
    }
  });
});
