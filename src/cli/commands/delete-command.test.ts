import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { openDatabase } from "../../runs/sqlite.ts";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

const day = 86_400_000;

describe("rowcall delete", () => {
  let workspace: Workspace;
  let io: TestIo;
  useWorkspace(2, (made) => (workspace = made));
  beforeEach(async () => {
    io = createTestIo({ workingDirectory: workspace.folder });
    for (const name of ["old", "new"])
      assert.equal(await runCli(["run", "batch.json", "--name", name, "--output", `${name}/`], createTestIo(io)), 0);
  });

  const names = async (): Promise<readonly string[]> => {
    const listing = createTestIo({ workingDirectory: workspace.folder });
    await runCli(["runs", "--json"], listing);
    return (JSON.parse(listing.out()) as readonly { readonly name: string }[]).map(({ name }) => name);
  };
  const age = (name: string, days: number, column: string): void => {
    const journal = openDatabase(workspace.at(".rowcall", "journal.db"));
    const at = Date.now() - days * day;
    journal.prepare(`UPDATE runs SET created_at = ?1, ${column} WHERE name = ?2`).run(at, name);
    journal
      .prepare("UPDATE attempts SET ended_at = ?1 WHERE run = (SELECT seq FROM runs WHERE name = ?2)")
      .run(at, name);
    journal.close();
  };

  it("says what is gone and what is left, and asks nothing", async () => {
    assert.equal(await runCli(["delete", "old"], io), 0);
    assert.match(io.err(), /^Deleted run \S+ \(old\) with 2 rows\.\n  removed: \S.*\n  left:    .*old\/result-/);
    assert.match(io.err(), /left: {4}\S.*rows\.csv \(the table that it read\)/);
    assert.equal(io.out(), "");
    assert.deepEqual(await names(), ["new"]);
    assert.equal(await runCli(["delete", "old"], io), 2);
    assert.match(io.err(), /There is no run "old"/);
  });

  it("deletes several, all or none of which must be there, and prints them with --json", async () => {
    assert.equal(await runCli(["delete", "new", "nwe"], io), 2);
    assert.deepEqual(await names(), ["new", "old"]);
    assert.equal(await runCli(["delete", "new", "old", "--json"], io), 0);
    const printed = JSON.parse(io.out()) as readonly { readonly name: string; readonly rows: number }[];
    assert.deepEqual(
      printed.map(({ name, rows }) => [name, rows]),
      [
        ["new", 2],
        ["old", 2],
      ],
    );
    assert.deepEqual(await names(), []);
  });

  it("deletes runs by their age, of a killed one by its last attempt", async () => {
    age("old", 31, "ended_at = ?1");
    assert.equal(await runCli(["delete", "--older-than", "5w"], io), 0);
    assert.match(io.err(), /^No run ended before 20\S+ \S+Z\.$/m);
    assert.equal(await runCli(["delete", "--older-than", "30d", "--json"], io), 0);
    assert.deepEqual(await names(), ["new"]);

    age("new", 31, "ended_at = NULL, status = 'running'");
    const journal = openDatabase(workspace.at(".rowcall", "journal.db"));
    journal.prepare("UPDATE attempts SET ended_at = ? WHERE row = 1").run(Date.now() - day);
    journal.close();
    assert.equal(await runCli(["delete", "--older-than", "30d"], io), 0);
    assert.deepEqual(await names(), ["new"]);
    age("new", 31, "ended_at = NULL, status = 'running'");
    assert.equal(await runCli(["delete", "--older-than", "30d"], io), 0);
    assert.deepEqual(await names(), []);
  });

  it("takes either runs or an age that is one", async () => {
    for (const [args, told] of [
      [[], /either runs or --older-than/],
      [["old", "--older-than", "1d"], /either runs or --older-than/],
      [["--older-than", "30"], /a whole number with a unit: 90m, 12h, 30d or 8w/],
    ] as const) {
      const refused = createTestIo({ workingDirectory: workspace.folder });
      assert.equal(await runCli(["delete", ...args], refused), 2);
      assert.match(refused.err(), told);
    }
    assert.deepEqual(await names(), ["new", "old"]);
  });
});
