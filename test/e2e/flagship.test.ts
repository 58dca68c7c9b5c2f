import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { siteData, type Expectation } from "../../examples/broadband/site/data.ts";
import { startSite, type Site } from "../../examples/broadband/site/server.ts";
import { openBrowserAgent } from "../../src/agents/browser-agent.ts";
import { parseAgent, type AgentDefinition, type Invoker } from "../../src/core/agent.ts";
import type { Outcome } from "../../src/core/attempt.ts";
import { parseBatch } from "../../src/core/batch-file.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { parseTemplateDocument } from "../../src/core/template.ts";
import { createExtractor } from "../../src/row/extract.ts";
import { createMapper } from "../../src/row/map.ts";
import { runAttempt } from "../../src/row/run-attempt.ts";

const header = ["building_number", "street", "postcode", "full_address"] as const;
const pagesAtOnce = 4;

function json(path: string): JsonObject {
  return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")) as JsonObject;
}

/** How long an attempt may take: enough for the answer after 15 s, not for the one after 45 s, which need not be waited out. */
function timeoutFor(expectation: Expectation): number {
  const patient = expectation.expected.status === "SUCCESS" || expectation.expected.code !== "TIMEOUT";
  return patient ? 30_000 : 3_000;
}

describe("the flagship on the replica", { timeout: 120_000, concurrency: pagesAtOnce }, () => {
  let site: Site;
  let invoker: Invoker;
  let agent: AgentDefinition;
  before(async () => {
    site = await startSite();
    const file = json("registry/agents/broadband-availability-bt-wholesale_v1.0.0.json");
    const config = { ...(file["config"] as JsonObject), variables: { checker_url: `${site.url}/public/` } };
    agent = parseAgent({ ...file, config }, "flagship");
    invoker = await openBrowserAgent(agent, {
      template: async () =>
        parseTemplateDocument(
          json("registry/templates/broadband_availability_bt_wholesale_v1.0.0.json"),
          "flagship template",
        ),
      secret: () => undefined,
      concurrency: pagesAtOnce,
      recording: "screenshot",
      baseDirectory: "/",
    });
  });
  after(async () => {
    await invoker.close();
    await site.close();
  });

  /** A row as a batch runs it: mapped, tried again where that may help. */
  async function outcomeOf(expectation: Expectation, row: number): Promise<Outcome> {
    const batch = parseBatch(json("examples/broadband/batch.json"), "batch.json");
    const mapped = createMapper(
      batch.inputMapping,
      header,
      "fail",
      agent,
    )({ index: row, line: row + 2, cells: header.map((name) => expectation.input[name]) });
    if ("failure" in mapped) return mapped.failure;
    const setup = {
      invoker,
      extract: createExtractor(agent),
      runId: "run",
      timeoutMs: timeoutFor(expectation),
      clock: Date.now,
      saveArtifact: async (at: number, number: number, name: string) => `memory:/${at}-${number}/${name}`,
    };
    for (let number = 1; ; number += 1) {
      const { outcome } = await runAttempt(setup, mapped.input, row, number);
      if (outcome.status === "succeeded" || !outcome.retryable || outcome.code === "TIMEOUT" || number === 3)
        return outcome;
    }
  }

  for (const [row, expectation] of siteData.expectations.entries()) {
    const { scenario, input, expected } = expectation;
    it(`${scenario}: ${input.building_number} ${input.street}, ${input.postcode}`, async () => {
      const outcome = await outcomeOf(expectation, row);
      if (expected.status === "FAILED") {
        assert.ok(outcome.status === "failed", JSON.stringify(outcome));
        assert.equal(outcome.code, expected.code, outcome.message);
        assert.match(outcome.message, new RegExp(expected.message, "i"));
        return;
      }
      assert.ok(outcome.status === "succeeded", JSON.stringify(outcome));
      const { screenshot_url, metadata, ...fields } = outcome.output;
      assert.deepEqual(fields, expected.fields);
      assert.match(String(screenshot_url), new RegExp(`^memory:/${row}-\\d/.*\\.(jpg|png)$`));
      assert.match(JSON.stringify(metadata), /"num_steps":\d+/);
    });
  }
});
