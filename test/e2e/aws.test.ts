import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { parseBatch } from "../../src/core/batch-file.ts";
import type { Batch } from "../../src/core/batch.ts";
import type { Engine } from "../../src/core/engine.ts";
import { openAwsEngine, wire } from "../../src/app/wire.ts";

const {
  ROWCALL_AWS_E2E: wanted,
  ROWCALL_STATE_MACHINE_ARN: stateMachineArn = "",
  ROWCALL_RUNS_URI: runsUri = "",
  AWS_PROFILE: profile,
  AWS_ACCESS_KEY_ID: key,
} = process.env;
const isReady = stateMachineArn !== "" && runsUri !== "" && (profile ?? key ?? "") !== "";

if (wanted === "1" && isReady) onAws();
else if (wanted === "1")
  process.stderr.write(
    "AWS is left alone: ROWCALL_STATE_MACHINE_ARN, ROWCALL_RUNS_URI, and AWS_PROFILE or AWS_ACCESS_KEY_ID must be set\n",
  );
else process.stderr.write("AWS is left alone: ROWCALL_AWS_E2E is not 1\n");

/** Needs the deployment of docs/deploy.md, its registry in ROWCALL_REGISTRY, and for the last test a worker. */
function onAws(): void {
  describe("the engine on AWS itself", { timeout: 900_000 }, () => {
    let folder: string;
    let engine: Engine;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "rowcall-aws-"));
      engine = await openAwsEngine(wire({ dataDirectory: join(folder, "data") }), { stateMachineArn, runsUri });
    });
    after(async () => {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    });

    const columns = "building_number,street,postcode";
    const batchOf = async (name: string, table: string): Promise<Batch> => {
      await writeFile(join(folder, `${name}.csv`), table);
      return parseBatch(
        {
          agent_name: "broadband-availability-bt-wholesale",
          input: join(folder, `${name}.csv`),
          output: join(folder, `${name}-out.csv`),
          input_mapping: {
            column_mappings: columns
              .split(",")
              .map((column) => ({ csv_column: column, agent_input_field: column, required: true })),
          },
          output_mapping: { structured_output_fields: ["exchange"], add_metadata: false },
        },
        "batch",
      );
    };

    it("brings a table without rows back with the new columns", async () => {
      const run = await engine.start({ batch: await batchOf("empty", `${columns}\n`) });
      assert.equal(run.status, "succeeded");
      assert.equal(await readFile(run.outputUri ?? "", "utf8"), `${columns},exchange\n`);
      assert.equal((await engine.describe(run.id)).id, run.id);
      assert.equal((await engine.list())[0]?.id, run.id);
    });

    it("fails rows that cannot be mapped, which costs nothing", async () => {
      const run = await engine.start({ batch: await batchOf("refused", `${columns}\n1,High Street,\n`) });
      assert.deepEqual([run.status, run.counts.failed], ["succeeded", 1]);
      const [report] = await Array.fromAsync(engine.rows(run.id));
      const outcome = report?.attempts.at(-1)?.outcome;
      assert.equal(outcome?.status === "failed" && outcome.code, "ROW_VALUE_MISSING");
    });

    it("decides a row by an attempt, and writes it again", async () => {
      const run = await engine.start({ batch: await batchOf("row", `${columns}\n10,Downing Street,SW1A 2AA\n`) });
      assert.deepEqual([run.status, run.counts.succeeded + run.counts.failed], ["succeeded", 1]);
      const { uri: again } = await engine.export(run.id, { output: join(folder, "again.csv"), format: "csv" });
      assert.equal(await readFile(again, "utf8"), await readFile(run.outputUri ?? "", "utf8"));
    });
  });
}
