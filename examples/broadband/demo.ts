import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { main } from "../../src/cli/main.ts";
import { startSite, type Site } from "./site/server.ts";

// The replica's port is part of the run: a resumed run must find the site where it was.
const home = fileURLToPath(new URL("../../", import.meta.url));
const folder = fileURLToPath(new URL(".", import.meta.url));
// What else is given goes to rowcall as it is, and comes before what the demo sets itself.
const { values } = parseArgs({ options: { "data-dir": { type: "string" } }, strict: false });
const dataDirectory = resolve(String(values["data-dir"] ?? join(home, ".rowcall", "demo")));
const portFile = join(dataDirectory, "port.json");

const resuming = process.argv.includes("--resume");
const passedOn = process.argv.slice(2).filter((arg) => arg !== "--resume");

if (resuming && !existsSync(portFile)) {
  process.stderr.write("error: there is no demo to resume\nhint: start one with npm run demo\n");
  process.exit(2);
}
const site = await openSite();
process.stderr.write(`Replica of the broadband checker: ${site.url}\n`);
const code = await main(resuming ? resumeArgs() : runArgs(site));
await site.close();
process.exitCode = code;

async function openSite(): Promise<Site> {
  if (resuming) return startSite({ port: JSON.parse(await readFile(portFile, "utf8")) as number });
  const opened = await startSite();
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  await writeFile(portFile, new URL(opened.url).port, { mode: 0o600 });
  return opened;
}

function runArgs({ url }: Site): string[] {
  const variables = { checker_url: new URL("public/", url).href };
  return [
    "run",
    join(folder, "batch.json"),
    ...["--input", join(folder, "addresses.csv")],
    ...["--output", join(home, "out", "demo/")],
    ...["--agent-config", JSON.stringify({ variables })],
    ...["--data-dir", dataDirectory],
    ...passedOn,
  ];
}

function resumeArgs(): string[] {
  return ["resume", "last", "--data-dir", dataDirectory, ...passedOn];
}
