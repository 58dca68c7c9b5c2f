import { delimiter, join } from "node:path";
import { execFile } from "node:child_process";
import { access, constants, glob } from "node:fs/promises";
import { homedir } from "node:os";
import { messageOf, RowcallError } from "../../../core/errors.ts";
import { browserEnvironment } from "./browser-environment.ts";
import { unpackBundledChromium, type BundledChromium } from "./bundled-chromium.ts";

/** Which build: the headless shell is about 3.5 times faster; some sites need the full browser. */
export type ChromiumBuild = "headless-shell" | "full";

/** The browsers in one kind of place. */
export interface Places {
  /** The place, in words. */
  readonly looked: string;
  readonly found: readonly string[];
}

const shellNames = ["chrome-headless-shell", "chromium-headless-shell"];
const fullNames = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser", "chrome", "microsoft-edge"];

/** Browsers that the system has. */
async function installedPaths(build: ChromiumBuild, probes: ChromiumProbes): Promise<Places> {
  const places = usualPlaces(build, probes);
  const found: string[] = [];
  for (const place of places) if (await probes.executable(place)) found.push(place);
  return { looked: probes.platform === "linux" ? "on PATH" : "in the usual places", found };
}

function usualPlaces(build: ChromiumBuild, probes: ChromiumProbes): readonly string[] {
  if (probes.platform === "darwin") {
    const apps = ["Google Chrome", "Chromium", "Microsoft Edge"];
    return ["/Applications", join(probes.home, "Applications")].flatMap((folder) =>
      apps.map((app) => `${folder}/${app}.app/Contents/MacOS/${app}`),
    );
  }
  if (probes.platform === "win32") {
    const roots = ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].flatMap((name) => probes.env[name] ?? []);
    const programs = [
      "Google\\Chrome\\Application\\chrome",
      "Chromium\\Application\\chrome",
      "Microsoft\\Edge\\Application\\msedge",
    ];
    return roots.flatMap((root) => programs.map((program) => `${root}\\${program}.exe`));
  }
  const names = build === "full" ? fullNames : [...shellNames, ...fullNames];
  const folders = (probes.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/** Browsers that Playwright has downloaded, the newest first. */
async function cachedPaths(build: ChromiumBuild, probes: ChromiumProbes): Promise<Places> {
  const root = probes.env["PLAYWRIGHT_BROWSERS_PATH"] ?? playwrightCache(probes);
  const shells = [
    "chromium_headless_shell-*/*/headless_shell",
    "chromium_headless_shell-*/*/chrome-headless-shell{,.exe}",
  ];
  const full = [
    "chromium-*/chrome-{linux,linux64,win,win64}/chrome{,.exe}",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/{Chromium,Google Chrome for Testing}",
  ];
  const found: string[] = [];
  for (const pattern of build === "full" ? full : [...shells, ...full]) {
    const files = await probes.files(join(root, pattern));
    found.push(...files.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true })));
  }
  return { looked: root, found };
}

function playwrightCache(probes: ChromiumProbes): string {
  if (probes.platform === "darwin") return join(probes.home, "Library", "Caches", "ms-playwright");
  if (probes.platform === "win32") return join(probes.env["LOCALAPPDATA"] ?? probes.home, "ms-playwright");
  return join(probes.env["XDG_CACHE_HOME"] ?? join(probes.home, ".cache"), "ms-playwright");
}

/** The machine as the search sees it. */
export interface ChromiumProbes {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Returns whether a file is there and may be executed. */
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
    files: (pattern) => Array.fromAsync(glob(pattern)),
    version: askVersion,
    unpack: unpackBundledChromium,
  };
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

/** The origin of a browser. */
export type ChromiumSource = "explicit" | "bundled" | "installed" | "playwright-cache";

/** A browser that was started once to see that it works here. */
export interface ChromiumBinary {
  readonly path: string;
  readonly source: ChromiumSource;
  /** The browser's own words: `Chromium 153.0.8010.0`; empty where asking would open a window. */
  readonly version: string;
  /** Environment that this binary needs besides the process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A place that was looked at. */
export interface ChromiumCandidate {
  readonly source: ChromiumSource;
  /** Path or name that was looked for. */
  readonly path: string;
  /** The working browser, or undefined when this place has none. */
  readonly binary?: ChromiumBinary;
  /** The reason that it cannot be used. */
  readonly reason?: string;
}

/** Options for the search. */
export interface ChromiumSearch {
  /** The only place to look, when given. */
  readonly explicitPath?: string;
  /** @default "headless-shell" */
  readonly build?: ChromiumBuild;
}

/**
 * The first browser that works: an explicit path, the headless shell from npm, an installed Chrome or Chromium, Playwright's cache.
 *
 * @throws RowcallError CHROMIUM_NOT_FOUND with every place that was tried in `details.candidates`
 */
export async function findChromium(
  search: ChromiumSearch,
  probes: ChromiumProbes = machineProbes(),
): Promise<ChromiumBinary> {
  const tried: ChromiumCandidate[] = [];
  for await (const candidate of candidates(search, probes)) {
    if (candidate.binary !== undefined) return candidate.binary;
    tried.push(candidate);
  }
  const list = tried.map((candidate) => `${candidate.source} ${candidate.path}: ${candidate.reason}`).join("; ");
  throw new RowcallError("CHROMIUM_NOT_FOUND", `No Chromium that works was found. Tried ${list}`, {
    hint:
      search.explicitPath === undefined
        ? "Install Chrome or Chromium, or name one with --chromium or ROWCALL_CHROMIUM."
        : "Correct the path, or leave it out to have one found.",
    details: { candidates: tried },
  });
}

/** Every place, in the order of the search, with what was found there; `doctor` prints it. */
export async function listChromiumCandidates(
  search: ChromiumSearch,
  probes: ChromiumProbes = machineProbes(),
): Promise<readonly ChromiumCandidate[]> {
  return Array.fromAsync(candidates(search, probes));
}

async function* candidates(search: ChromiumSearch, probes: ChromiumProbes): AsyncGenerator<ChromiumCandidate> {
  if (search.explicitPath !== undefined) {
    yield await probeFile("explicit", search.explicitPath, probes);
    return;
  }
  const build = search.build ?? "headless-shell";
  if (build === "headless-shell") yield await probeBundled(probes);
  for (const [source, find] of [
    ["installed", installedPaths],
    ["playwright-cache", cachedPaths],
  ] as const) {
    const { looked, found } = await find(build, probes);
    if (found.length === 0) yield { source, path: looked, reason: "nothing there" };
    for (const path of found) yield await probeFile(source, path, probes);
  }
}

async function probeFile(source: ChromiumSource, path: string, probes: ChromiumProbes): Promise<ChromiumCandidate> {
  if (!(await probes.executable(path))) return { source, path, reason: "not an executable file" };
  // Chrome on Windows opens a window for --version.
  if (probes.platform === "win32") return { source, path, binary: { path, source, version: "" } };
  const { ok, output } = await probes.version(path, {});
  return ok
    ? { source, path, binary: { path, source, version: output } }
    : { source, path, reason: `does not start: ${output}` };
}

async function probeBundled(probes: ChromiumProbes): Promise<ChromiumCandidate> {
  const source = "bundled";
  const name = "@sparticuz/chromium";
  if (probes.platform !== "linux" || probes.arch !== "x64") {
    const reason = `the package has no browser for ${probes.platform} ${probes.arch}, only for linux x64`;
    return { source, path: name, reason };
  }
  try {
    const { path, libraries, fontsFile } = await probes.unpack();
    const fonts: Readonly<Record<string, string>> = (await hasFontSettings(probes))
      ? {}
      : { FONTCONFIG_FILE: fontsFile };
    // The system's libraries first: the package's own are there for systems that have none.
    const withLibraries = { LD_LIBRARY_PATH: [libraries, probes.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":") };
    let output = "";
    for (const env of [fonts, { ...fonts, ...withLibraries }]) {
      const answer = await probes.version(path, env);
      if (answer.ok) return { source, path, binary: { path, source, version: answer.output, env } };
      output = answer.output;
    }
    return { source, path, reason: `does not start: ${output}` };
  } catch (cause) {
    return { source, path: name, reason: messageOf(cause) };
  }
}

async function hasFontSettings(probes: ChromiumProbes): Promise<boolean> {
  if (probes.env["FONTCONFIG_FILE"] !== undefined || probes.env["FONTCONFIG_PATH"] !== undefined) return true;
  return (await probes.files("/etc/fonts/fonts.conf")).length > 0;
}
