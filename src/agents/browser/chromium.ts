import { messageOf, RowcallError } from "../../core/errors.ts";
import { cachedPaths, installedPaths, type ChromiumBuild } from "./chromium-places.ts";
import { machineProbes, type ChromiumProbes } from "./chromium-probes.ts";

/** Where a browser came from. */
export type ChromiumSource = "explicit" | "bundled" | "installed" | "playwright-cache";

/** A browser that was started once to see that it works here. */
export interface ChromiumBinary {
  readonly path: string;
  readonly source: ChromiumSource;
  /** What the browser says it is: `Chromium 153.0.8010.0`; empty where asking would open a window. */
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
  /** Why it cannot be used. */
  readonly reason?: string;
}

/** What to look for. */
export interface ChromiumSearch {
  /** The only place to look, when given. */
  readonly explicitPath?: string | undefined;
  /** @default "headless-shell" */
  readonly build?: ChromiumBuild | undefined;
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
  const all: ChromiumCandidate[] = [];
  for await (const candidate of candidates(search, probes)) all.push(candidate);
  return all;
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
    return {
      source,
      path: name,
      reason: `the package has no browser for ${probes.platform} ${probes.arch}, only for linux x64`,
    };
  }
  try {
    const { path, libraries, fontsFile } = await probes.unpack();
    const fonts = (await hasFontSettings(probes)) ? {} : { FONTCONFIG_FILE: fontsFile };
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
