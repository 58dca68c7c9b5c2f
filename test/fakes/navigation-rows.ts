import { openBrowserAgent } from "../../src/agents/browser-agent.ts";
import { parseAgent, type Invoker } from "../../src/core/agent.ts";
import { messageOf } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { parseTemplateDocument } from "../../src/core/template.ts";
import {
  navigationAnswer,
  navigationKinds,
  navigationRow,
  navigationSteps,
  startNavigationSite,
} from "./navigation-site.ts";

/** What to run. */
export interface NavigationRows {
  readonly rows: number;
  /** Number of the first row: kinds and delays go by a row's number. @default 0 */
  readonly first?: number | undefined;
  readonly concurrency: number;
  /** The site answers after 0 to this many milliseconds. */
  readonly longestDelayMs: number;
  /** @default all */
  readonly kinds?: readonly string[] | undefined;
}

/** What came of the rows of one kind. */
export interface NavigationTally {
  right: number;
  wrong: number;
  failed: number;
  ms: number;
  /** One of the wrong or failed. */
  example: string;
}

/** Runs rows of all kinds by turns with a browser agent; tells by kind what came of them. */
export async function runNavigationRows(options: NavigationRows): Promise<ReadonlyMap<string, NavigationTally>> {
  const { rows, first = 0, concurrency, longestDelayMs, kinds = Object.keys(navigationKinds) } = options;
  const site = await startNavigationSite();
  const agent = await openAgent(site.origin, concurrency);
  const tallies = new Map<string, NavigationTally>(
    kinds.map((kind) => [kind, { right: 0, wrong: 0, failed: 0, ms: 0, example: "" }]),
  );

  async function doRow(row: number): Promise<void> {
    const kind = kinds[row % kinds.length]!;
    const tally = tallies.get(kind)!;
    // Spread over the whole range, and another one each time that a kind has its turn.
    const delayMs = Math.round((row * 0.618034 * longestDelayMs) % (longestDelayMs || 1));
    const artifacts = { save: async (name: string) => `memory:/${name}`, step: () => undefined };
    const context = { signal: AbortSignal.timeout(120_000), runId: "navigation", row, attempt: 1, artifacts };
    const startedAt = performance.now();
    try {
      const reply = (await agent.invoke(navigationRow(site.origin, kind, row, delayMs), context)) as {
        readonly structured_output: JsonObject;
      };
      const { heading, all } = reply.structured_output;
      const right = navigationAnswer(kind, row);
      if (heading === right && (kind !== "page in pieces" || (all as readonly string[]).length === 2)) tally.right += 1;
      else {
        tally.wrong += 1;
        tally.example = `${JSON.stringify(all)} instead of ${right}, after ${delayMs} ms`;
      }
    } catch (thrown) {
      tally.failed += 1;
      tally.example = messageOf(thrown);
    }
    tally.ms += performance.now() - startedAt;
  }

  try {
    let next = first;
    const worker = async (): Promise<void> => {
      while (next < first + rows) {
        next += 1;
        await doRow(next - 1);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  } finally {
    await agent.close();
    await site.close();
  }
  return tallies;
}

function openAgent(origin: string, concurrency: number): Promise<Invoker> {
  const template = {
    template_id: "navigation",
    version: "1.0.0",
    starting_page: "{{url}}",
    session: { timeout_seconds: 30 },
    steps: navigationSteps,
  };
  const definition = {
    agent_name: "navigation",
    version: "1.0.0",
    kind: "browser",
    config: { template: "navigation@1.0.0", allowed_hosts: [new URL(origin).host] },
    structured_output: { enabled: true, output_fields: ["heading"] },
  };
  return openBrowserAgent(parseAgent(definition, "agent"), {
    template: async () => parseTemplateDocument(template, "template navigation"),
    secret: () => undefined,
    concurrency,
    recording: "none",
    aws: { endpoints: {} },
    baseDirectory: process.cwd(),
  });
}
