import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseBatch } from "../../core/batch-file.ts";
import { openStores } from "../../stores/open-store.ts";
import { createTestServices } from "../../../test/fakes/services.ts";
import { openLocalEngine } from "./local-engine.ts";

const day = 86_400_000;

test("a clock that is set back and forth a day while rows run delays no retry and spoils no duration", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-clock-"));
  context.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "in.csv"), `a\n${"1\n".repeat(12)}`);
  let offset = 0;
  const services = createTestServices({
    store: openStores({ baseDirectory: folder }),
    clock: () => Date.now() + offset,
    monotonic: () => performance.now(),
    invoke: async (_, { row, attempt }) => {
      // A minute of wall-clock time never passes here: whatever waits for the clock waits for a day.
      offset = (row + attempt) % 2 === 0 ? -day : day;
      if (attempt === 1 && row % 3 === 0) throw new Error("not yet");
      return { structured_output: { field: row } };
    },
  });
  const engine = openLocalEngine({ services, dataDirectory: join(folder, "data") });
  const batch = parseBatch(
    {
      agent_name: "echo",
      input: "in.csv",
      output: "out.csv",
      execution_config: {
        max_concurrency: 2,
        retry_strategy: { max_attempts: 1, interval_seconds: 0.01 },
        rate_limit: { requests_per_second: 200 },
      },
    },
    "test",
  );
  const { counts } = await engine.start({ batch });
  await engine.close();
  assert.equal(counts.succeeded, 12);
  const [header = "", ...lines] = (await readFile(join(folder, "out.csv"), "utf8")).trimEnd().split("\n");
  const column = header.split(",").indexOf("_execution_time_ms");
  for (const line of lines) {
    const took = Number(line.split(",")[column]);
    assert.ok(took >= 0 && took < day / 2, `${took} ms`);
  }
});
