import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunQuery } from "../core/engine.ts";
import { createWorkspace } from "../../test/fakes/workspace.ts";
import { createRowcall } from "./create-rowcall.ts";
import { findRun } from "./find-run.ts";

describe("the run that a user means", () => {
  it("is found by id, name, last and the beginning of an id, and never by asking for all runs", async () => {
    const workspace = await createWorkspace(1);
    const rowcall = await createRowcall({ workingDirectory: workspace.folder, env: {} });
    try {
      const { runs } = rowcall;
      const ids: string[] = [];
      for (const name of ["monday", "tuesday"]) {
        const batch = await rowcall.readBatch("batch.json", { output: `${name}.csv` });
        ids.push((await (await rowcall.start({ batch, name })).ended).id);
      }
      const queries: RunQuery[] = [];
      const find = async (text: string): Promise<string> => {
        const list: typeof runs.list = async (query = {}) => {
          queries.push(query);
          return runs.list(query);
        };
        return (await findRun({ describe: (id) => runs.describe(id), list }, text)).id;
      };
      const [first = "", second = ""] = ids;
      assert.deepEqual([await find(first), await find("monday"), await find("last")], [first, first, second]);
      assert.equal(await find(first.slice(0, -1)), first);
      await assert.rejects(find(first.slice(0, 4)), {
        code: "USAGE_INVALID",
        message: `2 runs begin with "${first.slice(0, 4)}"`,
        hint: `Write more of the id: ${second}, ${first}.`,
      });
      await assert.rejects(find("mondey"), { code: "RUN_NOT_FOUND", hint: /^Did you mean "monday"\?/ });
      await assert.rejects(find(""), { code: "RUN_NOT_FOUND" });
      assert.ok(queries.length > 0);
      for (const query of queries) assert.ok(query.limit !== undefined, JSON.stringify(query));
    } finally {
      await rowcall.close();
      await workspace.remove();
    }
  });
});
