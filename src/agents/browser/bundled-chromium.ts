import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { RowcallError } from "../../core/errors.ts";

/** The headless shell from npm, unpacked. */
export interface BundledChromium {
  readonly path: string;
  /** Folder with libnss3 and the like, for systems that lack them. */
  readonly libraries: string;
  /** A fontconfig file that names the package's fonts, for systems without fonts. */
  readonly fontsFile: string;
}

let unpacking: Promise<BundledChromium> | undefined;

/**
 * Unpacks the headless shell of `@sparticuz/chromium` into the user's cache folder, once per version of the package.
 * Safe with many processes at once.
 *
 * @throws RowcallError DEPENDENCY_MISSING when the package is not installed, CHROMIUM_NOT_FOUND when no folder can be written
 */
export function unpackBundledChromium(): Promise<BundledChromium> {
  unpacking ??= unpackOnce().catch((thrown: unknown) => {
    unpacking = undefined;
    throw thrown;
  });
  return unpacking;
}

async function unpackOnce(): Promise<BundledChromium> {
  const entry = packageEntry();
  const manifest = JSON.parse(await readFile(new URL("../package.json", entry), "utf8")) as { version: string };
  const refused: unknown[] = [];
  for (const cache of cacheFolders()) {
    try {
      await mkdir(cache, { recursive: true, mode: 0o700 });
      return await unpackInto(cache, `chromium-${manifest.version}`, entry);
    } catch (cause) {
      refused.push(cause);
    }
  }
  throw new RowcallError(
    "CHROMIUM_NOT_FOUND",
    `The bundled browser could not be unpacked: ${refused.map(String).join("; ")}`,
    {
      hint: "It needs 250 MB in the cache folder or in the temporary folder.",
      cause: refused[0],
    },
  );
}

function packageEntry(): string {
  try {
    return import.meta.resolve("@sparticuz/chromium");
  } catch (cause) {
    throw new RowcallError("DEPENDENCY_MISSING", "The package @sparticuz/chromium is not installed", {
      hint: "Run npm install @sparticuz/chromium, or install Chrome or Chromium.",
      cause,
    });
  }
}

function cacheFolders(): readonly string[] {
  return [
    join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "rowcall"),
    join(tmpdir(), `rowcall-${userInfo().username}`),
  ];
}

async function unpackInto(cache: string, name: string, entry: string): Promise<BundledChromium> {
  const folder = join(cache, name);
  if (await isOurs(folder)) return contentsOf(folder);
  // The package sees a half-written browser of another process as whole. So each process unpacks into a folder of its own
  // and moves it into place in one go; whoever comes second finds the place taken and uses what is there.
  const half = await mkdtemp(join(cache, `${name}.half-`));
  try {
    await runUnpacker(half, entry);
    await writeFile(join(half, "fonts.conf"), fontSettings(folder));
    await rename(half, folder).catch(async (thrown: unknown) => {
      if (!(await isOurs(folder))) throw thrown;
    });
  } finally {
    await rm(half, { recursive: true, force: true });
  }
  return contentsOf(folder);
}

async function isOurs(folder: string): Promise<boolean> {
  const info = await stat(folder).catch(() => undefined);
  // In a temporary folder that everybody can write to, another user's "browser" is not to be run.
  return info?.isDirectory() === true && (process.getuid === undefined || info.uid === process.getuid());
}

/** The package unpacks into the temporary folder of its process. Only the browser itself must be there; the rest is for systems that lack it. */
async function runUnpacker(folder: string, entry: string): Promise<void> {
  const script = `
    const { inflate } = await import(process.argv[1]);
    const archive = (name) => decodeURIComponent(new URL("../bin/" + name, process.argv[1]).pathname);
    await inflate(archive("chromium.br"));
    for (const name of ["fonts.tar.br", "swiftshader.tar.br", "al2023.tar.br"]) await inflate(archive(name)).catch(() => undefined);`;
  const env = { ...process.env, TMPDIR: folder, NODE_OPTIONS: "" };
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script, "--", entry], { env });
}

function contentsOf(folder: string): BundledChromium {
  return {
    path: join(folder, "chromium"),
    libraries: join(folder, "al2023", "lib"),
    fontsFile: join(folder, "fonts.conf"),
  };
}

function fontSettings(folder: string): string {
  const folders = [join(folder, "fonts"), "/usr/share/fonts", "/usr/local/share/fonts", "/opt/fonts"];
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    "<fontconfig>",
    ...folders.map((each) => `  <dir>${each.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</dir>`),
    '  <cachedir prefix="xdg">fontconfig</cachedir>',
    "</fontconfig>",
    "",
  ].join("\n");
}
