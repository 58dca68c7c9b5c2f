import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { isOpenToOthers } from "../../runs/data-directory.ts";
import { count } from "../print/output.ts";
import type { Finding } from "../print/print-checks.ts";
import type { Serving } from "../../server/note-serving.ts";

const mostFiles = 20_000;

/** Whether the data directory and everything in it is its user's alone. */
export async function lookAtFileModes(dataDirectory: string): Promise<Finding> {
  const me = process.getuid?.();
  if (me === undefined) return { status: "skipped", detail: "Files have no modes on this system" };
  const found = await stat(dataDirectory).catch(() => undefined);
  if (found === undefined) return { status: "passed", detail: `${dataDirectory} is not there yet` };
  if (found.uid !== me) {
    return {
      status: "warning",
      detail: `${dataDirectory} belongs to user ${found.uid}`,
      hint: "Whoever owns it can read and change all runs: choose another --data-dir, or give it to yourself with chown.",
    };
  }
  // Nobody can reach what is in a closed folder.
  if (!isOpenToOthers(found.mode)) return { status: "passed", detail: dataDirectory };
  const loose = await looseIn(dataDirectory);
  const [first] = loose;
  const files = first === undefined ? "nothing in it is" : `${count(loose.length, "file")} in it too, such as ${first}`;
  return {
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

/** Which servers over the data directory other machines reach. */
export function lookAtServers(serving: readonly Serving[]): Finding {
  const isOpen = ({ isExposed, isInClear }: Serving): boolean => isExposed && isInClear;
  const told = serving.map((server) => {
    const who = server.isExposed ? "reached by other machines" : "reached by this machine alone";
    return `${server.what} ${server.url}, ${who}${isOpen(server) ? " in clear" : ""}`;
  });
  const detail = told.length === 0 ? "None is running" : told.join("; ");
  return serving.some(isOpen)
    ? { status: "warning", detail, hint: "Start it with --tls-cert and --tls-key, or leave --host out." }
    : { status: "passed", detail };
}
