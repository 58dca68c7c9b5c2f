import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { RowcallError } from "../../../core/errors.ts";
import { isOwnFolder, listLeftBehind, ownedPrefix } from "../../left-behind.ts";
import { makePrivateFolder, userCache } from "../../private-folder.ts";

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
 * Unpacks the headless shell of `@sparticuz/chromium` into the user's cache folder, once per version of the package, and anew when
 * files of it are missing or cut short. Safe with many processes at once.
 *
 * @throws RowcallError DEPENDENCY_MISSING when the package is not installed, CHROMIUM_NOT_FOUND when no folder can be written, or
 * others could have written to them
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
      makePrivateFolder(cache);
      return await unpackInto(cache, `chromium-${manifest.version}`, entry);
    } catch (cause) {
      refused.push(cause);
    }
  }
  throw new RowcallError(
    "CHROMIUM_NOT_FOUND",
    `The bundled browser could not be unpacked: ${refused.map(String).join("; ")}`,
    {
      hint: "It needs 250 MB in the cache folder or in the temporary folder, in a folder that only you can write to.",
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
  // By number: a user of a container may have no name.
  return [userCache(), join(tmpdir(), `rowcall-${process.getuid?.() ?? userInfo().username}`)];
}

async function unpackInto(cache: string, name: string, entry: string): Promise<BundledChromium> {
  const kind = `${name}.half`;
  await Promise.all((await listLeftBehind(cache, kind)).map(remove));
  const folder = join(cache, name);
  if (await isWhole(folder)) return contentsOf(folder);
  // The package sees a half-written browser of another process as whole. So each process unpacks into a folder of its own
  // and moves it into place in one go; whoever comes second finds a whole one and uses that.
  const half = await mkdtemp(join(cache, ownedPrefix(kind)));
  try {
    await runUnpacker(half, entry);
    await writeFile(join(half, "fonts.conf"), fontSettings(folder));
    await writeFile(join(half, listName), JSON.stringify(await sizesIn(half)));
    await moveIntoPlace(half, folder);
  } finally {
    await remove(half);
  }
  return contentsOf(folder);
}

/** Moves the folder into place. An incomplete one makes room; browsers that run from it keep their files. */
async function moveIntoPlace(half: string, folder: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await rename(half, folder);
      return;
    } catch (thrown) {
      // Another process was faster.
      if (await isWhole(folder)) return;
      if (tries === mostTries) throw thrown;
      if (!(await isOwnFolder(folder))) continue;
      const broken = `${half}.broken`;
      await rename(folder, broken).catch(() => undefined);
      await remove(broken);
    }
  }
}

// Between any two steps another process may put its own into place, or take an incomplete one away.
const mostTries = 10;

/** Every file of a whole browser and its size in bytes, by its path in the folder. */
type Sizes = Readonly<Record<string, number>>;

const listName = "files.json";

async function sizesIn(folder: string): Promise<Sizes> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [relative(folder, file), (await stat(file)).size] as const)),
  );
}

/** Returns whether a browser is there with all its bytes and is this user's: unpacking may have been cut short, files may be gone. */
async function isWhole(folder: string): Promise<boolean> {
  if (!(await isOwnFolder(folder))) return false;
  try {
    const sizes = JSON.parse(await readFile(join(folder, listName), "utf8")) as Sizes;
    const checks = Object.entries(sizes).map(async ([file, size]) => (await stat(join(folder, file))).size === size);
    return (await Promise.all(checks)).every(Boolean);
  } catch {
    return false;
  }
}

// Many times what it takes on a slow machine that does other things too.
const unpackingMs = 600_000;

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
}

/**
 * The package unpacks into the temporary folder of its process. Only the browser itself must come with the package; the rest is for
 * systems that lack it.
 */
async function runUnpacker(folder: string, entry: string): Promise<void> {
  const script = `
    // It ends with the process that wants it.
    process.stdin.on("end", () => process.kill(process.pid, "SIGKILL")).resume();
    const { inflate } = await import(process.argv[1]);
    const archive = (name) => decodeURIComponent(new URL("../bin/" + name, process.argv[1]).pathname);
    await inflate(archive("chromium.br"));
    for (const name of ["fonts.tar.br", "swiftshader.tar.br", "al2023.tar.br"]) {
      await inflate(archive(name)).catch((error) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
    // With nothing left to do it ends. In process.exit() Node can wait for ever, for a compilation that waits for memory.
    process.stdin.destroy();`;
  const env = { ...process.env, TMPDIR: folder, NODE_OPTIONS: "" };
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script, "--", entry], {
    env,
    timeout: unpackingMs,
    killSignal: "SIGKILL",
  });
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
