import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { listProcesses } from "../../process-group.ts";
import { browserEnvironment } from "./browser-environment.ts";
import { launchBrowser } from "./browser-process.ts";
import { findChromium } from "./chromium.ts";

describe("browser process", () => {
  it("gets of the environment what it needs, and no more", () => {
    const kept = browserEnvironment({
      HOME: "/home/a",
      PATH: "/bin",
      LANG: "en_GB.UTF-8",
      LC_ALL: "C",
      TZ: "Europe/London",
      DISPLAY: ":0",
      SystemRoot: "C:\\Windows",
      FONTCONFIG_PATH: "/etc/fonts",
      AWS_SECRET_ACCESS_KEY: "secret",
      HTTPS_PROXY: "http://name:password@proxy.test",
      ROWCALL_TOKEN: "secret",
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/bus",
      LC_SECRET_1: "secret",
      NODE_OPTIONS: "--require secret",
    });
    assert.deepEqual(Object.keys(kept).toSorted(), [
      "DISPLAY",
      "FONTCONFIG_PATH",
      "HOME",
      "LANG",
      "LC_ALL",
      "PATH",
      "SystemRoot",
      "TZ",
    ]);
  });

  it(
    "has no secret of its parent in any of its processes",
    { skip: process.platform !== "linux" && "no /proc" },
    async () => {
      process.env["ROWCALL_TEST_SECRET"] = "hunter2";
      try {
        const { browser, pid, end } = await launchBrowser(await findChromium({}));
        try {
          const page = await browser.newPage();
          await page.goto("data:text/html,<p>hello");
          const members = (await listProcesses()).filter(({ group }) => group === pid);
          const environments = await Promise.all(members.map((one) => readFile(`/proc/${one.pid}/environ`, "latin1")));
          assert.match(environments.join(), /TMPDIR=/);
          assert.doesNotMatch(environments.join(), /ROWCALL_TEST_SECRET|hunter2/);
        } finally {
          await end();
        }
      } finally {
        delete process.env["ROWCALL_TEST_SECRET"];
      }
    },
  );

  it("does not start without its sandbox where it is required, and says why", async () => {
    const binary = await findChromium({});
    const { unsandboxed, end } = await launchBrowser(binary);
    await end();
    const strict = launchBrowser(binary, { requireSandbox: true });
    if (unsandboxed === undefined) await (await strict).end();
    else {
      const message = `Chromium's sandbox is required, but it is off: ${unsandboxed}`;
      await assert.rejects(strict, { code: "SANDBOX_MISSING", message });
    }
  });
});
