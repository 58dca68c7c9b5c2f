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

  async function peakOf(megabytes: number): Promise<number> {
    await writeFile(at("in.csv"), `kilobytes\n${"500\n".repeat(megabytes * 2)}`);
    const args = ["run", at("batch.json"), "--quiet", "--input", at("in.csv"), "--output", at(`${megabytes}.csv`)];
    const places = ["--registry", at("registry"), "--data-dir", at("data")];
    return (await measureProcess(directory, cli, [...args, ...places])).peakMb;
  }

  it("takes no more memory for many of them than for few", async () => {
    const few = await peakOf(20);
    const many = await peakOf(100);
    assert.ok(many - few < 80, `${few} MB for 20 MB of answers, ${many} MB for 100 MB`);
  });
});
