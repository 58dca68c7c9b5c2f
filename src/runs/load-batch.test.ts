import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { RowcallError } from "../core/errors.ts";
import type { Problem } from "../core/schema.ts";
import type { Services } from "../core/services.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { openStores } from "../stores/open-store.ts";
import { createTestServices } from "../../test/fakes/services.ts";
import { loadBatch, loadBatchParts, loadOutputMapping } from "./load-batch.ts";

// The memory store takes any text as an address: plain paths are as good as others.
async function servicesWith(files: Readonly<Record<string, unknown>>): Promise<Services> {
  const store = openMemoryStore({ clock: () => 0 });
  for (const [uri, content] of Object.entries(files)) {
    await store.write(uri, Buffer.from(typeof content === "string" ? content : JSON.stringify(content)));
  }
  return { ...createTestServices({ store, invoke: async () => ({}) }), baseDirectory: "/desk" };
}

async function failure(promise: Promise<unknown>): Promise<RowcallError> {
  const error = await promise.then(
    () => assert.fail("nothing was thrown"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RowcallError, String(error));
  return error;
}

const problemsOf = (error: RowcallError): readonly Problem[] => error.details["problems"] as Problem[];

describe("loadBatch", () => {
  it("starts paths in a batch file from the file's folder and makes them absolute", async () => {
    const services = await servicesWith({
      "jobs/a/batch.json": {
        agent: "echo",
        input: { uri: "../rows.csv", delimiter: ";" },
        output: "out/",
        recording: { prefix: "recordings" },
        agent_config: { module: "./agent.mjs", other: "./as-it-is" },
      },
    });
    const batch = await loadBatch(services, "jobs/a/batch.json");
    assert.equal(batch.inputUri, "/desk/jobs/rows.csv");
    assert.equal(batch.dialect.delimiter, ";");
    assert.equal(batch.output, "/desk/jobs/a/out/");
    assert.equal(batch.recording.prefix, "/desk/jobs/a/recordings");
    assert.deepEqual(batch.agentConfig, { module: "/desk/jobs/a/agent.mjs", other: "./as-it-is" });
  });

  it("starts paths in a batch file at a URI from that URI, and leaves URIs as they are", async () => {
    const services = await servicesWith({
      "s3://bucket/configs/b.json": { agent: "echo", input: "../in/rows 1.csv", output: "s3://other/out/" },
      "file:///data/my%20jobs/b.json": { agent: "echo", input: "rows.csv", output: "/tmp/out.csv" },
    });
    const remote = await loadBatch(services, "s3://bucket/configs/b.json");
    assert.deepEqual([remote.inputUri, remote.output], ["s3://bucket/in/rows 1.csv", "s3://other/out/"]);
    const local = await loadBatch(services, "file:///data/my%20jobs/b.json");
    assert.deepEqual([local.inputUri, local.output], ["/data/my jobs/rows.csv", "/tmp/out.csv"]);
  });

  it("lays overrides over the file, their paths starting from the base directory", async () => {
    const services = await servicesWith({
      "jobs/b.json": {
        agent: "echo",
        input: { uri: "rows.csv", ragged: "pad" },
        execution_config: { max_concurrency: 2, timeout_seconds: 9 },
        agent_config: { variables: { a: 1, b: 2 } },
      },
    });
    const batch = await loadBatch(services, "jobs/b.json", {
      input: "other.csv",
      output: "out/",
      maxConcurrency: 7,
      recording: "none",
      agentConfig: { variables: { b: 3 } },
    });
    assert.equal(batch.inputUri, "/desk/other.csv");
    assert.equal(batch.dialect.ragged, "pad");
    assert.equal(batch.output, "/desk/out/");
    assert.deepEqual([batch.execution.maxConcurrency, batch.execution.timeoutSeconds], [7, 9]);
    assert.equal(batch.recording.level, "none");
    assert.deepEqual(batch.agentConfig, { variables: { a: 1, b: 3 } });
  });

  it("reads YAML by the file's ending", async () => {
    const services = await servicesWith({
      "b.yaml": "agent: echo\ninput: rows.csv\nexecution_config:\n  max_concurrency: 3\n",
    });
    const batch = await loadBatch(services, "b.yaml");
    assert.equal(batch.inputUri, "/desk/rows.csv");
    assert.equal(batch.execution.maxConcurrency, 3);
  });

  it("reads JSON given in place of a path", async () => {
    const batch = await loadBatch(await servicesWith({}), '{"agent": "echo", "input": "rows.csv"}');
    assert.equal(batch.inputUri, "/desk/rows.csv");
  });

  it("reads an execution input: the config that it points to, with its table and output", async () => {
    const services = await servicesWith({
      "/desk/jobs/config.json": { agent_name: "echo", recording: { prefix: "shots" } },
    });
    const execution = { config_s3_uri: "jobs/config.json", input_csv_s3_uri: "rows.csv", output_s3_prefix: "out/" };
    const batch = await loadBatch(services, JSON.stringify(execution));
    assert.deepEqual(
      [batch.inputUri, batch.output, batch.recording.prefix],
      ["/desk/rows.csv", "/desk/out/", "/desk/jobs/shots"],
    );
    const overridden = await loadBatch(services, JSON.stringify(execution), { input: "s3://bucket/rows.csv" });
    assert.equal(overridden.inputUri, "s3://bucket/rows.csv");
  });

  it("says what is missing from an execution input", async () => {
    const error = await failure(loadBatch(await servicesWith({}), '{"config_s3_uri": "b.json"}'));
    assert.equal(error.code, "BATCH_INVALID");
    assert.deepEqual(
      problemsOf(error).map(({ path }) => path),
      ["input_csv_s3_uri", "output_s3_prefix"],
    );
  });

  it("says where it looked for a batch file that is not there", async () => {
    const error = await failure(loadBatch(await servicesWith({}), "jobs/b.json"));
    assert.equal(error.code, "BATCH_NOT_FOUND");
    assert.equal(error.message, "There is no batch file jobs/b.json");
    assert.match(error.hint ?? "", /\/desk/);
  });

  it("names the batch file that was probably meant", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rowcall-batch-"));
    try {
      await writeFile(join(folder, "broadband.json"), "{}");
      const services = { ...(await servicesWith({})), store: openStores({ baseDirectory: folder }) };
      const error = await failure(loadBatch(services, "brodband.json"));
      assert.deepEqual([error.code, error.hint?.slice(0, 31)], ["BATCH_NOT_FOUND", 'Did you mean "broadband.json"? ']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("names line and column of a mistake in JSON or YAML", async () => {
    const mistakes: readonly (readonly [string, string, number, number])[] = [
      ["b.json", '{\n  "agent": "echo",\n}', 3, 1],
      ["b.json", '{\n  "agent": tru\n}', 2, 12],
      ["b.json", '{\n  "agent": "echo"', 2, 18],
      ["b.yaml", "agent: echo\ninput: [a, b\noutput: x\n", 3, 1],
    ];
    for (const [name, text, line, column] of mistakes) {
      const error = await failure(loadBatch(await servicesWith({ [name]: text }), name));
      assert.equal(error.code, "BATCH_INVALID");
      assert.deepEqual(
        { line: error.details["line"], column: error.details["column"] },
        { line, column },
        error.message,
      );
      assert.doesNotMatch(error.message, /\n/);
    }
  });

  it("tells everything that is wrong at once, missing places and overrides included", async () => {
    const services = await servicesWith({
      "b.json": { agnt: "echo", execution_config: { retry_strategy: { max_attempts: -1 } } },
    });
    const error = await failure(loadBatch(services, "b.json", { maxConcurrency: 0 }, ["input", "output"]));
    assert.equal(error.code, "BATCH_INVALID");
    assert.deepEqual(
      problemsOf(error)
        .map(({ path }) => path)
        .sort(),
      [
        "agent_name",
        "agnt",
        "execution_config.max_concurrency",
        "execution_config.retry_strategy.max_attempts",
        "input",
        "output",
      ],
    );
  });

  it("gives what can be read of a batch with problems", async () => {
    const services = await servicesWith({ "b.json": { agent: "echo", input: "rows.csv", outputs: "out/" } });
    const { data, problems, what } = await loadBatchParts(services, "b.json", {}, ["output"]);
    assert.equal(data?.inputUri, "/desk/rows.csv");
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["outputs", "output"],
    );
    assert.equal(what, "batch file b.json");
  });

  it("asks for the places that are required and not given", async () => {
    const services = await servicesWith({ "b.json": { agent: "echo", input: { delimiter: ";" } } });
    const error = await failure(loadBatch(services, "b.json", { output: "out/" }, ["input", "output"]));
    assert.deepEqual(
      problemsOf(error).map(({ path, hint }) => [path, hint]),
      [["input", 'Give --input, or set "input" in the batch file.']],
    );
  });
});

describe("loadOutputMapping", () => {
  it("reads a batch file, a file with output_mapping alone, or the mapping itself", async () => {
    const mapping = { structured_output_fields: ["b", "a"], include_original: false };
    const services = await servicesWith({
      "batch.json": { agent: "echo", output_mapping: mapping },
      "part.json": { output_mapping: mapping },
      "bare.json": mapping,
    });
    for (const source of ["batch.json", "part.json", "bare.json"]) {
      const { fields, includeOriginal } = await loadOutputMapping(services, source);
      assert.deepEqual({ fields, includeOriginal }, { fields: ["b", "a"], includeOriginal: false }, source);
    }
  });
});
