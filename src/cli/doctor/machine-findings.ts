import { mkdtemp, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Finding } from "../print/print-checks.ts";

const megabyte = 1024 ** 2;

// Measured with headless shells: the first page takes about 450 MB, each further one about 150 MB.
const firstPageBytes = 450 * megabyte;
const pageBytes = 150 * megabyte;
const usualConcurrency = 10;

/** Whether a version of Node is new enough. */
export function lookAtNode(version: string): Finding {
  return Number.parseInt(version, 10) >= 24
    ? { status: "passed", detail: version }
    : { status: "failed", detail: `This is ${version}`, hint: "Install Node 24 from https://nodejs.org." };
}

/**
 * What browser agents may use: memory for pages, and processors.
 *
 * @param available - bytes that a process may still take
 */
export function lookAtMemory(available: number, processors: number): Finding {
  const pages = available < firstPageBytes ? 0 : 1 + Math.floor((available - firstPageBytes) / pageBytes);
  const detail =
    `${readable(available)} available: about ${pages} pages at once; ` +
    `${processors} processors: pages that only compute go no faster beyond ${processors * 2} at once`;
  if (pages >= usualConcurrency) return { status: "passed", detail };
  if (pages === 0)
    return {
      status: "failed",
      detail,
      hint: "A browser takes about 450 MB. Close other programs, or take a larger machine.",
    };
  const hint = `Run browser agents with \`rowcall run --max-concurrency ${pages}\` or less; function and http agents take far less.`;
  return { status: "warning", detail, hint };
}

/**
 * The space for journal, copies of inputs and recordings.
 *
 * @param free - bytes
 */
export function lookAtSpace(folder: string, free: number): Finding {
  const detail = `${readable(free)} free for ${folder}`;
  if (free >= 2048 * megabyte) return { status: "passed", detail };
  const hint =
    "Free some, or choose another --data-dir. A screenshot takes about 100 KB, a video a few MB, for each attempt.";
  return { status: free < 200 * megabyte ? "failed" : "warning", detail, hint };
}

/** The space where a folder is, or will be made. */
export async function lookAtDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await existing(folder));
  return lookAtSpace(folder, bavail * bsize);
}

/** Writes a file in a folder, or in the one that it will be made in, and deletes it again. @throws what keeps it from that */
export async function writeIn(folder: string): Promise<Finding> {
  const own = await mkdtemp(join(await existing(folder), ".rowcall-doctor-"));
  try {
    await writeFile(join(own, "probe"), "");
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return { status: "passed", detail: folder };
}

// The data directory is made by the first run: until then the folder counts that it will be made in.
async function existing(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined || dirname(folder) === folder ? folder : existing(dirname(folder));
}

function readable(bytes: number): string {
  return bytes < 1024 * megabyte ? `${Math.floor(bytes / megabyte)} MB` : `${(bytes / megabyte / 1024).toFixed(1)} GB`;
}
