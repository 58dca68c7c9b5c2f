import { execFileSync } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const dist = new URL("dist/", root);
const compiler = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));

await rm(dist, { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "tsconfig.replica.json"]) {
  execFileSync(process.execPath, [compiler, "-p", project], { cwd: root, stdio: "inherit" });
}
// What the compiler does not take along.
for (const [from, to] of [
  ["examples/broadband/site/web", "replica/web"],
  ["examples/broadband/site/data.json", "replica/data.json"],
  ["src/server/pages/assets", "server/pages/assets"],
] as const) {
  await cp(new URL(from, root), new URL(to, dist), { recursive: true });
}
