import { invalid } from "../core/schema.ts";
import type { BrowserHostName } from "../engines/aws/cost.ts";
import type { BatchParts } from "../runs/load-batch.ts";
import { planOnAws, type AwsPlan } from "./aws-plan.ts";
import { browserChecks } from "./browser-checks.ts";
import type { FigureSources } from "./estimate.ts";
import { measureEarlierRows } from "./measure-rows.ts";
import { planBatch, type Plan, type PlanChoice } from "./plan.ts";
import { recordingsOf } from "./try-row.ts";
import type { Wiring } from "./wire.ts";

/** What a plan stands on: services, the machine, and what it remembers of runs. */
export type PlanWiring = Pick<Wiring, "services" | "host" | "dataDirectory" | "recordingsPrefix">;

/** How a batch is planned. */
export interface PlanRequest extends PlanChoice {
  /** Seconds and price of a row, where they are known better than from earlier rows and from the agent. */
  readonly given?: FigureSources["given"];
  /** Runs the first valid row for the check that only a run can make; costs one row. @default false */
  readonly probe?: boolean;
  /** Plans for a batch processor on AWS, and says who runs browsers there (default: `fleet`). @default for this machine */
  readonly aws?: { readonly browserHost?: BrowserHostName };
}

/**
 * Everything short of running a batch, with all that this machine knows: its browser, what earlier rows of the agent took, and on AWS
 * quotas and prices.
 *
 * @param read - as far as it could be read: its problems are one of the checks
 * @throws RowcallError BATCH_INVALID when nothing of it could be read
 */
export async function makePlan(
  wiring: PlanWiring,
  { data: batch, problems, what }: BatchParts,
  { given, probe, aws, ...choice }: PlanRequest = {},
): Promise<Plan | AwsPlan> {
  if (batch === undefined) throw invalid("BATCH_INVALID", what, problems);
  const { services, host, recordingsPrefix } = wiring;
  const plan = await planBatch(services, batch, {
    ...choice,
    fileProblems: problems,
    extraChecks: browserChecks(wiring),
    given,
    measure: (agent) => measureEarlierRows(wiring, agent),
    probe: probe === true ? { recordingsUri: recordingsOf("plan", services, batch, recordingsPrefix) } : undefined,
  });
  if (aws === undefined) return plan;
  const { region = "eu-west-1" } = host.aws;
  return planOnAws(services, batch, plan, { recordingsPrefix, region, browserHost: aws.browserHost ?? "fleet" });
}
