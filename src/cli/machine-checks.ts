import type { ShownCheck } from "./check-lines.ts";

/** One thing of the machine that was looked at. */
export interface MachineCheck extends ShownCheck {
  readonly id: "node" | "memory" | "disk" | "data_directory" | "working_directory" | "temporary_folder";
}

const megabyte = 1024 ** 2;

// Measured with headless shells: the first page takes about 450 MB, each further one about 150 MB.
const firstPageBytes = 450 * megabyte;
const pageBytes = 150 * megabyte;
const usualConcurrency = 10;

/** Checks the version of Node. */
export function checkNode(version: string): MachineCheck {
  const title = "Node is 24 or newer";
  if (Number.parseInt(version, 10) >= 24) return { id: "node", title, status: "passed", detail: version };
  return {
    id: "node",
    title,
    status: "failed",
    detail: `This is ${version}`,
    hint: "Install Node 24 from https://nodejs.org.",
  };
}

/**
 * Checks what browser agents may use: memory for pages, and processors.
 *
 * @param available - bytes that a process may still take
 */
export function checkMemory(available: number, processors: number): MachineCheck {
  const title = "There is memory for browsers";
  const pages = available < firstPageBytes ? 0 : 1 + Math.floor((available - firstPageBytes) / pageBytes);
  const detail =
    `${readable(available)} available: about ${pages} pages at once; ` +
    `${processors} processors: pages that only reckon go no faster beyond ${processors * 2} at once`;
  if (pages === 0)
    return {
      id: "memory",
      title,
      status: "failed",
      detail,
      hint: "A browser takes about 450 MB. Close other programs, or take a larger machine.",
    };
  if (pages >= usualConcurrency) return { id: "memory", title, status: "passed", detail };
  return {
    id: "memory",
    title,
    status: "warning",
    detail,
    hint: `Run browser agents with \`rowcall run --max-concurrency ${pages}\` or less; function and http agents take far less.`,
  };
}

/**
 * Checks the space for journal, copies of inputs and recordings.
 *
 * @param free - bytes
 */
export function checkDisk(folder: string, free: number): MachineCheck {
  const title = "There is disk space for runs";
  const detail = `${readable(free)} free for ${folder}`;
  const hint =
    "Free some, or choose another --data-dir. A screenshot takes about 100 KB, a video a few MB, for each attempt.";
  if (free < 200 * megabyte) return { id: "disk", title, status: "failed", detail, hint };
  if (free < 2048 * megabyte) return { id: "disk", title, status: "warning", detail, hint };
  return { id: "disk", title, status: "passed", detail };
}

/** Checks that files can be written in a folder, with what `write` throws when they cannot. */
export async function checkWritable(
  id: "data_directory" | "working_directory" | "temporary_folder",
  folder: string,
  write: () => Promise<void>,
): Promise<MachineCheck> {
  const title = {
    data_directory: "The data directory can be written",
    working_directory: "The working directory can be written",
    temporary_folder: "The folder for temporary files can be written",
  }[id];
  try {
    await write();
    return { id, title, status: "passed", detail: folder };
  } catch (thrown) {
    const hint = {
      data_directory: "Choose another --data-dir.",
      working_directory:
        "Outputs that are named relative to it cannot be written; name another place: `rowcall run --output PLACE`.",
      temporary_folder: "Set TMPDIR to a folder that can be written.",
    }[id];
    const status = id === "working_directory" ? "warning" : "failed";
    return { id, title, status, detail: thrown instanceof Error ? thrown.message : String(thrown), hint };
  }
}

function readable(bytes: number): string {
  return bytes < 1024 * megabyte ? `${Math.floor(bytes / megabyte)} MB` : `${(bytes / megabyte / 1024).toFixed(1)} GB`;
}
