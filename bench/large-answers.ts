// Runs whose answers are large: what they take of memory, which should not follow their size.
// Usage: node bench/large-answers.ts [ROWSxKILOBYTES ...]    (default 3000x100 300x5000 1200x1000)
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measureProcess } from "./measure.ts";
import { publishFunction } from "./publish.ts";

const asked = process.argv.length > 2 ? process.argv.slice(2) : ["3000x100", "300x5000", "1200x1000"];
const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));
const at = (name: string): string => join(scratch, name);

await publishFunction(at("registry"), "large", ["text"]);
await writeFile(at("batch.json"), JSON.stringify({ agent_name: "large", recording: { level: "none" } }));
const places = ["--registry", at("registry"), "--data-dir", at("data")];
console.log(["rows", "kB each", "", "seconds", "peak MB"].map((name) => name.padStart(12)).join(""));
for (const [rows = 0, kilobytes = 0] of asked.map((pair) => pair.split("x").map(Number))) {
  await writeFile(at("in.csv"), `kilobytes\n${`${kilobytes}\n`.repeat(rows)}`);
  const output = ["--output", at("out.csv"), "--force"];
  for (const [what, ...args] of [
    ["run", at("batch.json"), "--quiet", "--input", at("in.csv"), ...output],
    ["export", "last", ...output],
  ] as const) {
    const { seconds, peakMb } = await measureProcess(scratch, main, [what, ...args, ...places]);
    const cells = [String(rows), String(kilobytes), what, seconds.toFixed(1), String(Math.round(peakMb))];
    console.log(cells.map((cell) => cell.padStart(12)).join(""));
  }
  await rm(at("data"), { recursive: true });
}
await rm(scratch, { recursive: true });
