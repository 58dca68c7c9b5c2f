import { delimiter, join } from "node:path";
import type { ChromiumProbes } from "./chromium-probes.ts";

/** Which build: the headless shell is about 3.5 times faster; some sites need the full browser. */
export type ChromiumBuild = "headless-shell" | "full";

/** What a kind of place holds. */
export interface Places {
  /** What was looked for, in words. */
  readonly looked: string;
  readonly found: readonly string[];
}

const shellNames = ["chrome-headless-shell", "chromium-headless-shell"];
const fullNames = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser", "chrome", "microsoft-edge"];

/** Browsers that the system has. */
export async function installedPaths(build: ChromiumBuild, probes: ChromiumProbes): Promise<Places> {
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
    return roots.flatMap((root) =>
      [
        "Google\\Chrome\\Application\\chrome.exe",
        "Chromium\\Application\\chrome.exe",
        "Microsoft\\Edge\\Application\\msedge.exe",
      ].map((file) => `${root}\\${file}`),
    );
  }
  const names = build === "full" ? fullNames : [...shellNames, ...fullNames];
  const folders = (probes.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/** Browsers that Playwright has downloaded, the newest first. */
export async function cachedPaths(build: ChromiumBuild, probes: ChromiumProbes): Promise<Places> {
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
