import { execFile } from "node:child_process";
import { access, constants, glob } from "node:fs/promises";
import { homedir } from "node:os";
import { messageOf } from "../../core/errors.ts";
import { browserEnvironment } from "./browser-environment.ts";
import { unpackBundledChromium, type BundledChromium } from "./bundled-chromium.ts";

/** The machine as the search sees it. */
export interface ChromiumProbes {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a file is there and may be executed. */
  executable(path: string): Promise<boolean>;
  /** Files that match a pattern, in any order. */
  files(pattern: string): Promise<readonly string[]>;
  /** Starts the browser with `--version`. */
  version(
    path: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly ok: boolean; readonly output: string }>;
  /** Unpacks the headless shell from npm. */
  unpack(): Promise<BundledChromium>;
}

/** This machine. */
export function machineProbes(): ChromiumProbes {
  return {
    platform: process.platform,
    arch: process.arch,
    home: homedir(),
    env: process.env,
    executable: (path) =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    files: listFiles,
    version: askVersion,
    unpack: unpackBundledChromium,
  };
}

async function listFiles(pattern: string): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const file of glob(pattern)) files.push(file);
  return files;
}

function askVersion(path: string, env: Readonly<Record<string, string>>): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    execFile(
      path,
      ["--version"],
      { env: { ...browserEnvironment(process.env), ...env }, timeout: 20_000, killSignal: "SIGKILL" },
      (error, stdout, stderr) => {
        const output = (error === null ? stdout : stderr || messageOf(error)).trim();
        resolve({ ok: error === null, output });
      },
    );
  });
}
