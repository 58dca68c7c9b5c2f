import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

// Beside workspaces Changesets releases no root, and here the root is the one package that is released: it does not see them.
const readManifest = (): object => JSON.parse(readFileSync("package.json", "utf8")) as object;
const writeManifest = (manifest: object): void =>
  writeFileSync("package.json", `${JSON.stringify(manifest, null, 2)}\n`);

// Ctrl-C is the command's: package.json has to be whole again afterwards.
process.on("SIGINT", () => {});
const manifest = readManifest();
writeManifest({ ...manifest, workspaces: undefined });
try {
  const command = fileURLToPath(import.meta.resolve("@changesets/cli/bin.js"));
  // It would keep compiled code in a folder that other users of the machine can write to.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" };
  const { status, error } = spawnSync(process.execPath, [command, ...process.argv.slice(2)], { stdio: "inherit", env });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
} finally {
  const { version } = readManifest() as { readonly version: string };
  writeManifest({ ...manifest, version });
}
