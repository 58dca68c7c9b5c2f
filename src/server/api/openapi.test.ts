import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { addPhotographer } from "../../../test/fakes/photographer.ts";
import { readEvents } from "../../../test/fakes/read-events.ts";
import { batchOf, openTestServer, type TestServer } from "../../../test/fakes/server.ts";
import { createWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";

interface DocumentOperation {
  readonly operationId: string;
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
}

const document = JSON.parse(await readFile(new URL("../../../schemas/openapi.json", import.meta.url), "utf8")) as {
  readonly paths: Record<string, Record<string, DocumentOperation>>;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** What an operation is asked: values of its path, its query and its body. */
interface Sample {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The body as it is. */
  readonly raw?: string;
}

describe("the API's document", () => {
  let workspace: Workspace;
  let server: TestServer;
  let run: string;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "api");

  before(async () => {
    workspace = await createWorkspace(30);
    await addPhotographer(workspace);
    server = await openTestServer(workspace);
    const { run: started } = await server.ask<{ run: { id: string } }>("POST", "/runs", {
      batch: await batchOf(workspace),
    });
    run = started.id;
    await server.until(run, ({ status }) => status === "succeeded");
  });
  after(async () => {
    await server.end();
    await workspace.remove();
  });

  it("is a valid OpenAPI 3.1 document", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document) as never);
    assert.deepEqual([valid, errors ?? []], [true, []]);
    assert.equal(validator.version, "3.1");
  });

  async function samples(): Promise<Readonly<Record<string, Sample>>> {
    const batch = { ...(await batchOf(workspace)), output: "again.csv" };
    const steps = [{ action: "screenshot", file: "first" }];
    const template = { template_id: "form", version: "1.0.0", starting_page: "http://127.0.0.1/", steps };
    const agent = {
      agent_name: "other",
      version: "1.0.0",
      kind: "function",
      config: { module: "./agent.mjs" },
      structured_output: { enabled: true, output_fields: ["double"] },
    };
    await server.ask("POST", "/agents", { ...agent, version: "0.9.0" });
    await server.ask("POST", "/templates", { ...template, version: "0.9.0" });
    const photographed = { agent: "photographer", input: workspace.at("rows.csv") };
    const photos = await server.ask<{ run: { id: string } }>("POST", "/runs", { batch: photographed, limit: 1 });
    await server.until(photos.run.id, ({ status }) => status === "succeeded");
    const tried = await server.ask<{ id: string }>("POST", `/runs/${photos.run.id}/tries`, { row: 0 });
    const doomed = await server.ask<{ run: { id: string } }>("POST", "/runs", { batch: photographed, limit: 1 });
    await server.until(doomed.run.id, ({ status }) => status === "succeeded");
    const signIn = await server.app.request(`/?code=${server.createCode()}`, { headers: { host: "127.0.0.1:8084" } });
    assert.equal(signIn.status, 303);
    const { sessions } = await server.ask<{ sessions: readonly { id: string }[] }>("GET", "/sessions");
    const name = "first page.png";
    const id = { id: run };
    return {
      listRuns: { query: { text: "DOUBLER", status: "succeeded", limit: "1" } },
      startRun: { body: { batch, limit: 2 } },
      getRun: { params: id },
      deleteRun: { params: { id: doomed.run.id } },
      surveyRun: { params: id },
      adjustRun: { params: id, body: { maxConcurrency: 3, toleratedFailureCount: 9 } },
      pauseRun: { params: id },
      unpauseRun: { params: id },
      stopRun: { params: id },
      resumeRun: { params: id },
      rerunRows: { params: id, body: { codes: ["AGENT_FAILED"], rows: [[3, 3]] } },
      notifyAgain: { params: id, body: { all: true } },
      listRows: { params: id, query: { status: "failed", order: "duration", descending: "true", limit: "2" } },
      getRow: { params: { ...id, row: 3 } },
      getRecording: { params: { id: photos.run.id, row: 0, number: 1, name } },
      watchRuns: {},
      watchRun: { params: id },
      getTryRecording: { params: { id: tried.id, name } },
      downloadTable: { params: id, query: { which: "failed", format: "jsonl" } },
      uploadTable: { query: { name: "t.csv" }, raw: "a,b\n1,2\n" },
      suggestMapping: { body: { agent: "doubler", inputUri: workspace.at("rows.csv") } },
      planBatch: { body: { batch, sampleSize: 1 } },
      tryRow: { body: { batch: { agent: "doubler" }, input: { n: 4 } } },
      tryRowOfRun: { params: id, body: { row: 2, cells: { n: "5" } } },
      listAgents: {},
      publishAgent: { body: agent },
      getAgent: { params: { name: "doubler" }, query: { version: "1.0.0" } },
      diffAgent: { params: { name: "other" }, query: { from: "0.9.0", to: "1.0.0" } },
      setAgentStatus: { params: { name: "other", version: "1.0.0" }, body: { status: "deprecated" } },
      listTemplates: {},
      publishTemplate: { body: template },
      getTemplate: { params: { name: "form" } },
      diffTemplate: { params: { name: "form" }, query: { from: "0.9.0", to: "1.0.0" } },
      setTemplateStatus: { params: { name: "form", version: "1.0.0" }, body: { status: "archived" } },
      listSessions: {},
      endSession: { params: { id: sessions[0]?.id ?? "" } },
      endSessions: {},
    };
  }

  // A stream of events has no end: its first event is what is read of it.
  async function readBody(response: Response, type: string): Promise<string> {
    if (type !== "text/event-stream") return response.text();
    for await (const { event } of readEvents(response)) return event;
    return "";
  }

  it("says what parameters and parts of a body are", () => {
    const text = JSON.stringify(document.paths["/runs"]);
    assert.ok(text.includes('"name":"after","in":"query","required":false,"description":"`next` of the page before"'));
    assert.ok(text.includes('"additionalProperties":{},"description":"As a batch file has it"'));
  });

  it("tells what every operation answers", async () => {
    const asked = await samples();
    assert.deepEqual(operations.map(({ operation }) => operation.operationId).sort(), Object.keys(asked).sort());
    for (const { path, method, operation } of operations) {
      const { operationId, responses } = operation;
      const sample = asked[operationId];
      assert.ok(sample !== undefined, `${operationId} has no sample`);
      const place = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(sample.params?.[name])));
      const response = await server.request(`/api/v1${place}?${new URLSearchParams(sample.query).toString()}`, {
        method: method.toUpperCase(),
        ...(sample.raw === undefined
          ? sample.body === undefined
            ? {}
            : { body: JSON.stringify(sample.body) }
          : { body: sample.raw }),
      });
      const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
      const text = await readBody(response, type);
      const content = responses[String(response.status)]?.content;
      assert.ok(response.ok, `${operationId}: ${response.status} ${text}`);
      assert.ok(
        content !== undefined && (type in content || type.replace(/\/.*/, "/*") in content),
        `${operationId}: ${response.status} ${type} is not described`,
      );
      if (type === "text/event-stream") assert.equal(text, "snapshot", operationId);
      if (type === "application/json") {
        const pointer = ["paths", path, method, "responses", String(response.status), "content", type, "schema"]
          .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
          .map(encodeURIComponent)
          .join("/");
        const validate = ajv.getSchema(`api#/${pointer}`);
        assert.ok(validate?.(JSON.parse(text)), `${operationId}: ${ajv.errorsText(validate?.errors)}\n${text}`);
      }
      await server.until(run, ({ status }) => status === "succeeded");
    }
  });

  it("is what the server serves", async () => {
    const served = await server.ask<{ paths: object }>("GET", "/openapi.json");
    assert.deepEqual(Object.keys(served.paths), Object.keys(document.paths));
  });
});
