import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { addPhotographer, photograph } from "../../../test/fakes/photographer.ts";
import { readEvents, type SentEvent } from "../../../test/fakes/read-events.ts";
import { openTestServer, type TestServer } from "../../../test/fakes/server.ts";
import { createWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";

const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());
const typeOf = ({ headers }: Response): string | null => headers.get("content-type");

async function assertProblem(response: Response, code: string): Promise<void> {
  assert.equal(typeOf(response), "application/problem+json");
  assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [404, code]);
}

describe("answers that are no JSON", () => {
  let workspace: Workspace;
  let server: TestServer;
  let run: string;

  const start = async (): Promise<string> => {
    const batch = { agent: "photographer", input: workspace.at("rows.csv") };
    const started = await server.ask<{ run: { id: string } }>("POST", "/runs", { batch });
    return started.run.id;
  };
  before(async () => {
    workspace = await createWorkspace(3);
    await addPhotographer(workspace);
    server = await openTestServer(workspace);
    run = await start();
    await server.until(run, ({ status }) => status === "succeeded");
  });
  after(async () => {
    await server.end();
    await workspace.remove();
  });

  async function assertHandsOut(folder: string, html: string): Promise<void> {
    const path = `${folder}/first%20page.png`;
    const whole = await server.request(path);
    assert.deepEqual([whole.status, typeOf(whole)], [200, "image/png"]);
    assert.equal(whole.headers.get("content-length"), "256");
    assert.equal(whole.headers.get("content-disposition"), "inline; filename*=UTF-8''first%20page.png");
    assert.deepEqual(await bytesOf(whole), photograph);

    const part = await server.request(path, { headers: { range: "bytes=250-" } });
    assert.deepEqual([part.status, typeOf(part)], [206, "image/png"]);
    assert.equal(part.headers.get("content-range"), "bytes 250-255/256");
    assert.deepEqual(await bytesOf(part), photograph.slice(250));
    const beyond = await server.request(path, { headers: { range: "bytes=256-" } });
    assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */256"]);

    const page = await server.request(`${folder}/page.html`);
    assert.deepEqual([page.status, typeOf(page)], [200, "application/octet-stream"]);
    assert.match(page.headers.get("content-disposition") ?? "", /^attachment/);
    assert.equal(await page.text(), html);
    await assertProblem(await server.request(`${folder}/other.png`), "ROW_NOT_FOUND");
  }

  it("hands out what an attempt of a run left, whole or a range of it", async () => {
    const rows = `/api/v1/runs/${run}/rows`;
    await assertHandsOut(`${rows}/2/attempts/1/recordings`, "<p>row 2");
    await assertProblem(await server.request(`${rows}/2/attempts/2/recordings/page.html`), "ROW_NOT_FOUND");
    await assertProblem(await server.request(`${rows}/3/attempts/1/recordings/page.html`), "ROW_NOT_FOUND");
    await assertProblem(
      await server.request("/api/v1/runs/none/rows/2/attempts/1/recordings/page.html"),
      "RUN_NOT_FOUND",
    );
  });

  it("hands out what a try left, of a batch or with a run's settings", async () => {
    const asked = { batch: { agent: "photographer" }, input: { n: 7 } };
    const first = await server.ask<{ id: string }>("POST", "/tries", asked);
    const second = await server.ask<{ id: string }>("POST", `/runs/${run}/tries`, { row: 1, cells: { n: "8" } });
    await assertHandsOut(`/api/v1/tries/${first.id}/recordings`, "<p>row 7");
    await assertHandsOut(`/api/v1/tries/${second.id}/recordings`, "<p>row 8");
    await assertProblem(await server.request(`/api/v1/tries/${run}/recordings/page.html`), "ROW_NOT_FOUND");
  });

  it("says when the file that a try names is gone", async () => {
    const { id, attempt } = await server.ask<{ id: string; attempt: { artifacts: { name: string; uri: string }[] } }>(
      "POST",
      `/runs/${run}/tries`,
      { row: 0 },
    );
    for (const { name, uri } of attempt.artifacts) {
      await server.context.store.delete(uri);
      const path = `/api/v1/tries/${id}/recordings/${encodeURIComponent(name)}`;
      await assertProblem(await server.request(path), "STORE_NOT_FOUND");
    }
    assert.equal(attempt.artifacts.length, 2);
  });

  it("tells of all runs: where they stand, then one that begins, and goes on after the last event seen", async () => {
    const watch = async (headers: Record<string, string> = {}): Promise<AsyncGenerator<SentEvent>> => {
      const response = await server.request("/api/v1/events", { headers });
      assert.deepEqual([response.status, typeOf(response)], [200, "text/event-stream"]);
      return readEvents(response);
    };
    const events = await watch();
    const { value: snapshot } = (await events.next()) as { value: SentEvent };
    assert.equal(snapshot.event, "snapshot");
    const { runs } = snapshot.data as { runs: { id: string; status: string }[] };
    assert.deepEqual(
      runs.map(({ id, status }) => [id, status]),
      [[run, "succeeded"]],
    );

    const begun = await start();
    let seen: SentEvent | undefined;
    for await (const event of events) {
      const told = (event.data as { run?: { id: string; status: string; counts: { succeeded: number } } }).run;
      if (event.event !== "run" || told?.id !== begun || told.status !== "succeeded") continue;
      assert.equal(told.counts.succeeded, 3);
      seen = event;
      break;
    }

    const again = await watch({ "last-event-id": seen?.id ?? "" });
    const later = await start();
    const { value: next } = (await again.next()) as { value: SentEvent };
    assert.equal(next.event, "run");
    assert.equal((next.data as { run: { id: string } }).run.id, later);
    await again.return(undefined);
    await server.until(later, ({ status }) => status === "succeeded");
  });
});
