import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { isOpenToOthers } from "../runs/data-directory.ts";
import type { ShownCheck } from "./check-lines.ts";
import { count } from "./output.ts";
import type { Serving } from "./serve/note-serving.ts";

/** A check of who else may get at what Rowcall keeps and does. */
export interface PrivacyCheck extends ShownCheck {
  readonly id: "file_modes" | "exposed_endpoints";
}

const mostFiles = 20_000;

/** Checks that the data directory and all in it are its user's alone. */
export async function checkFileModes(dataDirectory: string): Promise<PrivacyCheck> {
  const check = { id: "file_modes", title: "The data directory is yours alone" } as const;
  const me = process.getuid?.();
  if (me === undefined) return { ...check, status: "skipped", detail: "Files have no modes on this system" };
  const found = await stat(dataDirectory).catch(() => undefined);
  if (found === undefined) return { ...check, status: "passed", detail: `${dataDirectory} is not there yet` };
  if (found.uid !== me) {
    return {
      ...check,
      status: "warning",
      detail: `${dataDirectory} belongs to user ${found.uid}`,
      hint: "Whoever owns it can read and change all runs: choose another --data-dir, or give it to yourself with chown.",
    };
  }
  // Nobody can reach what is in a closed folder.
  if (!isOpenToOthers(found.mode)) return { ...check, status: "passed", detail: dataDirectory };
  const loose = await looseIn(dataDirectory);
  const [first] = loose;
  const files = first === undefined ? "nothing in it is" : `${count(loose.length, "file")} in it too, such as ${first}`;
  return {
    ...check,
    status: "warning",
    detail: `Others may enter ${dataDirectory}; ${files}`,
    hint: `chmod -R go= '${dataDirectory}'`,
  };
}

async function looseIn(directory: string): Promise<readonly string[]> {
  const loose: string[] = [];
  let seen = 0;
  for await (const entry of await opendir(directory, { recursive: true })) {
    if ((seen += 1) > mostFiles) break;
    const path = join(entry.parentPath, entry.name);
    const found = entry.isFile() ? await stat(path).catch(() => undefined) : undefined;
    if (found !== undefined && isOpenToOthers(found.mode)) loose.push(path);
  }
  return loose;
}

/** Checks what servers over the data directory other machines reach. */
export function checkExposure(serving: readonly Serving[]): PrivacyCheck {
  const check = { id: "exposed_endpoints", title: "No server is open to others in clear" } as const;
  const told = serving.map(({ what, url, isExposed, isInClear }) => {
    const who = isExposed ? "reached by other machines" : "reached by this machine alone";
    return `${what} ${url}, ${who}${isExposed && isInClear ? " in clear" : ""}`;
  });
  const detail = told.length === 0 ? "None is running" : told.join("; ");
  if (!serving.some(({ isExposed, isInClear }) => isExposed && isInClear))
    return { ...check, status: "passed", detail };
  return {
    ...check,
    status: "warning",
    detail,
    hint: "Start it with --tls-cert and --tls-key, or leave --host out.",
  };
}
