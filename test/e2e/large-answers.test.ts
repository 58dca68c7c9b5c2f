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

  async function peaks(megabytes: number): Promise<readonly [run: number, exported: number]> {
    const data = at(`data-${megabytes}`);
    const output = at(`out-${megabytes}.csv`);
    const places = ["--registry", at("registry"), "--data-dir", data];
    await writeFile(at("in.csv"), `kilobytes\n${"500\n".repeat(megabytes * 2)}`);
    const run = await measureProcess(directory, cli, [
      "run",
      at("batch.json"),
      "--quiet",
      "--input",
      at("in.csv"),
      "--output",
      output,
      ...places,
    ]);
    const exported = await measureProcess(directory, cli, [
      "export",
      "last",
      "--format",
      "jsonl",
      "--output",
      at(`out-${megabytes}.jsonl`),
      ...places,
    ]);
    return [run.peakMb, exported.peakMb];
  }

  it("takes no more memory for many of them than for few, while it goes and while the table is written", async () => {
    const [few, fewExported] = await peaks(40);
    const [many, manyExported] = await peaks(200);
    assert.ok(many - few < 80, `${few} MB for 40 MB of answers, ${many} MB for 200 MB`);
    assert.ok(
      manyExported - fewExported < 80,
      `${fewExported} MB to export 40 MB of answers, ${manyExported} MB for 200 MB`,
    );
  });
});
