// All benchmarks, one after the other in processes of their own, on a machine that should have nothing else to do.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

for (const name of [
  "way-of-a-row",
  "makespan",
  "workers",
  "telemetry",
  "watching",
  "pages",
  "prepare-finish",
  "browser-flow",
  "large-answers",
]) {
  console.log(`\n${name}\n`);
  execFileSync(process.execPath, [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))], { stdio: "inherit" });
}
