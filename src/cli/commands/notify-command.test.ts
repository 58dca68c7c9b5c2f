import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Delivery } from "../../core/channel.ts";
import { json, startService, type TestService } from "../../../test/fakes/echo-service.ts";
import { createTestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

describe("rowcall notify", () => {
  let workspace: Workspace;
  let service: TestService;
  let answer: number | "none";
  useWorkspace(2, (made) => (workspace = made));
  beforeEach(async () => {
    answer = 200;
    service = await startService((_, response) => {
      if (answer !== "none") json(response, {}, answer);
    });
    await workspace.write("told.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "told.csv",
      notification_config: { channels: [`${service.origin}/hook?token={{secret.HOOK}}`] },
    });
  });
  afterEach(() => service.close());

  async function rowcall(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const env = { ROWCALL_WEBHOOK_SECRET: "a long random text", HOOK: "hidden", HIDDEN: "hidden" };
    const io = createTestIo({ workingDirectory: workspace.folder, env });
    const code = await runCli(args, io);
    return { code, out: io.out(), err: io.err() };
  }
  async function deliveries(): Promise<readonly Delivery[]> {
    const { out } = await rowcall("show", "last", "--json");
    return (JSON.parse(out) as { readonly deliveries: readonly Delivery[] }).deliveries;
  }

  it("sends again what has failed, and nothing twice; ends with 0 when all has arrived", async () => {
    answer = 410;
    const run = await rowcall("run", "told.json");
    assert.equal(run.code, 0);
    assert.match(run.err, /^warning: The notification to http:\S+\?\*\*\* failed: .* answered 410 Gone/m);
    assert.equal(service.requests[0]?.path, "/hook?token=hidden");
    assert.doesNotMatch(await readFile(workspace.at(".rowcall/journal.db"), "latin1"), /hidden/);
    assert.match(run.err, /^hint: .* Send it again: `rowcall notify \S+`\.$/m);
    assert.match((await rowcall("show", "last")).out, /^http:\S+\?\*\*\* +success +failed: .*410 Gone.* 1 +20/m);

    const failed = await rowcall("notify", "last");
    assert.equal(failed.code, 1);
    assert.match(failed.out, /^http:\S+\?\*\*\* +success +failed +2$/m);
    assert.match(failed.err, /^warning: The notification to .* answered 410.*\nhint: Check the webhook's address/m);

    answer = 200;
    const sent = await rowcall("notify", "last");
    assert.deepEqual([sent.code, sent.err], [0, ""]);
    assert.match(sent.out, /success +delivered +3$/m);
    assert.equal((await rowcall("notify", "last")).code, 0);
    assert.equal(service.requests.length, 3);
    assert.equal(new Set(service.requests.map(({ headers }) => headers["rowcall-delivery"])).size, 1);
    for (const { out, err } of [run, failed, sent]) assert.doesNotMatch(out + err, /hidden|long random/);
  });

  it("sends what has arrived once more with --all, and prints what became of it with --json", async () => {
    await rowcall("run", "told.json");
    const { code, out } = await rowcall("notify", "last", "--all", "--json");
    assert.equal(code, 0);
    const [first, second] = await deliveries();
    assert.deepEqual(JSON.parse(out), [second]);
    assert.deepEqual(
      service.requests.map(({ headers }) => headers["rowcall-delivery"]),
      [first?.id, second?.id],
    );
  });

  it("says when the batch sends no notification, and does not know a run that is not there", async () => {
    await rowcall("run", "batch.json");
    const { code, out, err } = await rowcall("notify", "last");
    assert.deepEqual([code, out], [0, ""]);
    assert.match(err, /^The batch sends no notification for a run with status succeeded \(\S+\)\.$/m);
    assert.equal((await rowcall("notify", "lsat")).code, 2);
  });

  it("shows a notification whose process was killed as pending, and sends it under the same id", async () => {
    answer = "none";
    const asked = once(service.events, "request");
    const child = spawn(process.execPath, [main, "run", "told.json"], {
      cwd: workspace.folder,
      stdio: "ignore",
      env: { ...process.env, HOOK: "hidden" },
    });
    const closed = once(child, "close");
    await asked;
    const busy = await rowcall("notify", "last");
    assert.match(busy.err, /^error: Run \S+ is going already/);
    child.kill("SIGKILL");
    await closed;

    const [pending] = await deliveries();
    assert.deepEqual([pending?.status, pending?.tries, pending?.error], ["pending", 1, undefined]);
    assert.match((await rowcall("show", "last")).out, /^Status +succeeded$/m);

    answer = 200;
    assert.equal((await rowcall("notify", "last")).code, 0);
    assert.deepEqual(
      (await deliveries()).map(({ id, status, tries }) => [id, status, tries]),
      [[pending?.id, "delivered", 2]],
    );
    assert.deepEqual(
      service.requests.map(({ headers }) => headers["rowcall-delivery"]),
      [pending?.id, pending?.id],
    );
  });

  it("plan finds bad addresses, missing secrets and webhooks without a signature, and shows no secret", async () => {
    await workspace.write("plan.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "plan.csv",
      notification_config: {
        sns_topic_arn: "arn:aws:sns:eu-west-1:...:done",
        channels: [
          "slack:",
          "https://user:{{secret.HIDDEN}}@example.com/?token={{secret.HIDDEN}}#secret=OTHER",
          "pigeon://{{secret.HIDDEN}}@home",
        ],
      },
    });
    const { code, out } = await rowcall("plan", "plan.json");
    assert.equal(code, 0);
    assert.match(out, /Slack needs SLACK_WEBHOOK_URL, not set in the environment/);
    assert.match(out, /https:\/\/\*\*\*@example\.com\/\?\*\*\*#secret=OTHER needs OTHER/);
    assert.match(out, /Unknown channel "pigeon:\/\/\*\*\*@home"/);
    assert.match(out, /is not the ARN of an SNS topic/);
    assert.doesNotMatch(out, /hidden/);

    const io = createTestIo({ workingDirectory: workspace.folder, env: { HOOK: "hidden" } });
    assert.equal(await runCli(["plan", "told.json"], io), 0);
    assert.match(io.out(), /without a signature: ROWCALL_WEBHOOK_SECRET is not set/);
    assert.doesNotMatch((await rowcall("plan", "told.json")).out, /signature|hidden/);
    assert.equal(service.requests.length, 0);
  });

  it("refuses a batch whose addresses bring a password or token along, before anything is kept", async () => {
    await workspace.write("bad.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "bad.csv",
      notification_config: {
        channels: ["console:", "https://user:hidden@example.com/", "https://example.com/?key=hidden"],
      },
    });
    for (const command of ["plan", "run"]) {
      const { code, out, err } = await rowcall(command, "bad.json");
      assert.notEqual(code, 0);
      assert.match(out + err, /https:\/\/\*\*\*@example\.com\/ holds a password, which would be kept with the run/);
      assert.match(out + err, /\{\{secret\.OPS_PASSWORD\}\}/);
      assert.match(out + err, /https:\/\/example\.com\/\?\*\*\* holds a secret in its query, "key"/);
      assert.doesNotMatch(out + err, /hidden/);
    }
  });
});
