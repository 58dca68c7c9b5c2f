import type { Batch } from "../core/batch.ts";
import type { Services } from "../core/services.ts";
import { createCheck, checkThrown, type Check } from "./check.ts";
import type { Plan } from "./plan.ts";
import { resolveAgent } from "../attempt/resolve-agent.ts";
import { capacityChecks, checkPayload, checkPlaces, checkRateLimit } from "./aws-checks.ts";
import { costOfRun, type AwsAgentKind, type BrowserHostName, type RunCost } from "../engines/aws/cost.ts";
import { rowSettings, type RowDestination, type RowSetup } from "../engines/aws/row-settings.ts";

/** How a batch is planned for AWS. */
export interface AwsPlanOptions {
  /** Prefix of recordings when the batch names none. */
  readonly recordingsPrefix: string;
  readonly region: string;
  readonly browserHost: BrowserHostName;
}

/** A plan for AWS. */
export interface AwsPlan extends Plan {
  readonly aws: {
    readonly region: string;
    readonly browserHost: BrowserHostName;
    /** Undefined while it is not known how long a row takes, and when the agent cannot run there. */
    readonly cost?: RunCost;
  };
}

/** Adds to a plan what is different on AWS: what would hit a quota there, and what the run costs by part. Never throws. */
export async function planOnAws(
  services: Services,
  batch: Batch,
  plan: Plan,
  options: AwsPlanOptions,
): Promise<AwsPlan> {
  const { region, browserHost } = options;
  const found = await destinationOf(services, batch, options);
  const { destination } = found;
  const taskBytes = destination === undefined ? 0 : payloadBytes(destination, plan.inputBytes.largest);
  const { secondsPerRow, rows, costPerRowUsd } = plan.estimate;
  const cost =
    secondsPerRow === undefined || found.kind === undefined
      ? undefined
      : costOfRun({
          rows,
          concurrency: batch.execution.maxConcurrency,
          secondsPerRow,
          browserHost,
          agent: found.kind,
          ...(costPerRowUsd === undefined ? {} : { agentCostUsd: costPerRowUsd }),
          ...(taskBytes === 0 ? {} : { taskBytes }),
        });
  const checks = [
    ...plan.checks.map((check) => notHere(check, browserHost)),
    found.check,
    checkRateLimit(batch),
    checkPlaces(batch),
    checkPayload(taskBytes),
    ...capacityChecks({ batch, plan, region, browserHost, kind: found.kind, destination, cost }),
  ];
  return {
    ...plan,
    checks,
    runnable: checks.every(({ status }) => status !== "failed"),
    aws: { region, browserHost, ...(cost === undefined ? {} : { cost }) },
  };
}

interface Found {
  readonly check: Check;
  readonly kind?: AwsAgentKind;
  readonly destination?: RowDestination;
}

async function destinationOf(services: Services, batch: Batch, options: AwsPlanOptions): Promise<Found> {
  const setup: RowSetup = {
    services,
    recordingsPrefix: options.recordingsPrefix,
    // Which one it is says the deployment.
    agentMachineArn: "of the deployment",
    workerWaitSeconds: options.browserHost === "fleet" ? 3600 : 0,
  };
  try {
    const { definition } = await resolveAgent(services, batch).catch(() => ({ definition: undefined }));
    if (definition === undefined) return { check: createCheck("aws_agent", "skipped", "The agent is not known") };
    const { rateLimit: _hasItsOwnCheck, ...execution } = batch.execution;
    const destination = await rowSettings(setup, { ...batch, execution }, definition, "00000000-000000-0000");
    const { target, settings } = destination;
    const called = target === "function" ? "function" : "state machine";
    return {
      check: createCheck("aws_agent", "passed", `Kind ${definition.kind}: ${called} ${settings.target}`),
      kind: definition.kind as AwsAgentKind,
      destination,
    };
  } catch (thrown) {
    return { check: checkThrown("aws_agent", thrown) };
  }
}

/** Bytes of a row's execution's input. */
function payloadBytes({ settings }: RowDestination, inputBytes: number): number {
  const around = { row: 100_000_000, attempt: 100, input: 0, failures: 0, losses: 0, batch: settings };
  return Buffer.byteLength(JSON.stringify(around)) + inputBytes;
}

// What this machine has does not matter there.
function notHere(check: Check, browserHost: BrowserHostName): Check {
  return check.id === "browser" && check.status !== "skipped"
    ? createCheck("browser", "skipped", `On AWS ${browserHost === "fleet" ? "workers run" : "a function runs"} it`)
    : check;
}
