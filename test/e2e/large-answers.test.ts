import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { measureProcess } from "../../bench/measure.ts";
import { publishFunction } from "../../bench/publish.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

describe("a run with large answers", () => {
  let directory: string;
  const at = (name: string): string => join(directory, name);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "rowcall-large-"));
    await publishFunction(at("registry"), "large", ["text"]);
    await writeFile(at("batch.json"), JSON.stringify({ agent_name: "large", recording: { level: "none" } }));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function peakOf(rows: number, kilobytes: number): Promise<number> {
    await writeFile(at("in.csv"), `kilobytes\n${`${kilobytes}\n`.repeat(rows)}`);
    const args = ["run", at("batch.json"), "--quiet", "--input", at("in.csv"), "--output", at(`${kilobytes}.csv`)];
    const places = ["--registry", at("registry"), "--data-dir", at("data")];
    return (await measureProcess(directory, cli, [...args, ...places])).peakMb;
  }

  it("takes little more memory than one with small answers", async () => {
    const small = await peakOf(150, 0);
    const large = await peakOf(150, 1000);
    assert.ok(large - small < 80, `${small} MB for answers of nothing, ${large} MB for 150 answers of 1 MB`);
  });
});
