import { prices, quotas } from "./prices.ts";
import { functionFigures, partBytes, sizesOfRun } from "./run-size.ts";
import { countTransitions, type BrowserHostName } from "./transitions.ts";

/** Kinds of agents that run on AWS. */
export type AwsAgentKind = "browser" | "stepfunctions" | "lambda";

/** What a run's cost and time depend on. */
export interface RunShape {
  /** Rows that are attempted. */
  readonly rows: number;
  readonly concurrency: number;
  readonly secondsPerRow: number;
  /** @default browser */
  readonly agent?: AwsAgentKind;
  /** Of a browser agent. @default fleet */
  readonly browserHost?: BrowserHostName;
  /** Part of the rows that fail in the end, from 0 to 1. @default 0 */
  readonly failureShare?: number;
  /** Further attempts for each row, on average. @default 0 */
  readonly retriesPerRow?: number;
  /** What an attempt costs beside AWS: a model, a service that is asked. @default 0 */
  readonly agentCostUsd?: number;
  /** Bytes that a worker is sent with each attempt. @default those of the broadband agent */
  readonly taskBytes?: number;
}

/** What a run costs by part, in the order in which it is shown. */
export const costParts = {
  rows: "Step Functions: rows",
  run: "Step Functions: the run",
  functions: "Lambda: Prepare and Finish",
  storage: "S3: requests",
  registry: "DynamoDB: agent and template",
  notification: "SNS: notification",
  logs: "Logs and traces",
  agentMachine: "Agent: its state machine",
  browser: "Agent: function",
  recordings: "Agent: recordings, S3 requests",
  transfer: "Agent: data to workers",
  service: "Agent: its own price",
} as const;

/** One of {@link costParts}. */
export type CostPart = keyof typeof costParts;

const agentParts: readonly CostPart[] = ["agentMachine", "browser", "recordings", "transfer", "service"];

/** What a run costs and takes on AWS. */
export interface RunCost {
  readonly rows: number;
  readonly concurrency: number;
  /** Rows that are really in flight at once: a map starts no more than so many a second. */
  readonly reachedConcurrency: number;
  readonly seconds: number;
  readonly transitions: number;
  /** While the map runs, on average. */
  readonly rowsPerSecond: number;
  readonly transitionsPerSecond: number;
  readonly usd: Readonly<Record<CostPart, number>>;
  /** Of all parts but the agent's. */
  readonly orchestrationUsd: number;
  readonly agentUsd: number;
  readonly totalUsd: number;
}

/** What 1,000 rows cost in the original product: three functions for each row around the agent, and all told. */
export const originalDesign = {
  transitions: 5007,
  /** With functions of 256 MB for 200 ms; with 1 GB for half a second 0.15. */
  orchestrationUsd: 0.128,
  /** As its documentation states it, the agent included. */
  totalUsd: 1,
} as const;

// A function of the user's own is reckoned with a gigabyte.
const functionMb = { browser: 3008, lambda: 1024 } as const;
// The broadband agent and its template, which a worker gets with each attempt.
const broadbandTaskBytes = 14_000;
/** Events that are logged of an attempt that succeeds: of the row's execution, and of the agent's. */
export const eventsPerAttempt = { row: 8, agent: 9 } as const;
const bytesPerEvent = 450;
// X-Ray takes one trace in twenty where there are many.
const tracedShare = 0.05;

/**
 * What a run costs and takes. What is kept in S3 is left out, since for how long is its owner's choice, and so is the machine
 * that a worker runs on.
 */
export function costOfRun(shape: RunShape): RunCost {
  const full = { ...defaults, ...shape };
  const transitions = transitionsOf(full);
  const time = timeOf(full);
  const usd: Record<CostPart, number> = {
    rows: transitions.rows * prices.transition,
    run: transitions.run * prices.transition,
    ...ownParts(full, time),
    ...agentPartsOf(full, transitions.agent),
  };
  const agentUsd = agentParts.reduce((sum, part) => sum + usd[part], 0);
  const totalUsd = Object.values(usd).reduce((sum, part) => sum + part, 0);
  const all = transitions.rows + transitions.run + transitions.agent;
  return {
    rows: full.rows,
    concurrency: full.concurrency,
    reachedConcurrency: time.reachedConcurrency,
    seconds: time.prepare + time.map + time.finish,
    transitions: all,
    rowsPerSecond: time.map === 0 ? 0 : full.rows / time.map,
    transitionsPerSecond: time.map === 0 ? 0 : (transitions.rows + transitions.agent) / time.map,
    usd,
    orchestrationUsd: totalUsd - agentUsd,
    agentUsd,
    totalUsd,
  };
}

type FullShape = Required<RunShape>;

const defaults = {
  agent: "browser",
  browserHost: "fleet",
  failureShare: 0,
  retriesPerRow: 0,
  agentCostUsd: 0,
  taskBytes: broadbandTaskBytes,
} as const;

interface RunTransitions {
  readonly rows: number;
  readonly run: number;
  readonly agent: number;
}

function transitionsOf({ rows, retriesPerRow, failureShare, agent, browserHost }: FullShape): RunTransitions {
  const each = countTransitions(browserHost);
  const retries = rows * retriesPerRow;
  const failedRows = rows * failureShare;
  return {
    rows: rows * each.row + retries * each.retry + failedRows * each.failedRow,
    run: each.run,
    // What other machines pass is not known here.
    agent:
      agent === "browser" ? (rows - failedRows) * each.agent.succeeded + (retries + failedRows) * each.agent.failed : 0,
  };
}

interface RunTime {
  readonly prepare: number;
  readonly map: number;
  readonly finish: number;
  readonly reachedConcurrency: number;
}

/** Seconds that a run takes by part: rows go in waves, and none start faster than Step Functions starts them. */
function timeOf({ rows, concurrency, secondsPerRow, retriesPerRow }: FullShape): RunTime {
  const { prepareSeconds: prepare, finishSeconds: finish } = sizesOfRun(rows);
  const places = Math.min(concurrency, quotas.mapChildren);
  const waves = Math.ceil(rows / places) * (1 + retriesPerRow) * secondsPerRow;
  const starts = (rows - 1) / quotas.mapStartsPerSecond + secondsPerRow * (1 + retriesPerRow);
  return {
    prepare,
    map: rows === 0 ? 0 : Math.max(waves, starts),
    finish,
    reachedConcurrency: Math.min(
      places,
      Math.max(1, Math.ceil(quotas.mapStartsPerSecond * secondsPerRow * (1 + retriesPerRow))),
    ),
  };
}

function ownParts(
  { rows, retriesPerRow }: FullShape,
  { prepare, finish }: RunTime,
): Pick<Record<CostPart, number>, "functions" | "storage" | "registry" | "notification" | "logs"> {
  const { writes, reads } = storageRequests(rows);
  const attempts = rows * (1 + retriesPerRow);
  return {
    functions:
      2 * prices.functionCall + (functionFigures.memoryMb / 1024) * (prepare + finish) * prices.gigabyteSecond.arm,
    storage: writes * prices.s3Write + reads * prices.s3Read,
    // An agent and a template, each with the list of its versions.
    registry: 16 * prices.dynamodbRead,
    notification: prices.snsPublish,
    logs: logging(attempts * eventsPerAttempt.row, rows),
  };
}

function agentPartsOf(
  { rows, retriesPerRow, agent, browserHost, secondsPerRow, agentCostUsd, taskBytes }: FullShape,
  transitions: number,
): Pick<Record<CostPart, number>, "agentMachine" | "browser" | "recordings" | "transfer" | "service"> {
  const attempts = rows * (1 + retriesPerRow);
  const isBrowser = agent === "browser";
  const isFleet = isBrowser && browserHost === "fleet";
  const memoryMb = agent === "stepfunctions" || isFleet ? 0 : functionMb[agent];
  const perCall = prices.functionCall + (memoryMb / 1024) * secondsPerRow * prices.gigabyteSecond.x86;
  return {
    agentMachine:
      transitions * prices.transition + (isBrowser ? logging(attempts * eventsPerAttempt.agent, attempts) : 0),
    browser: memoryMb === 0 ? 0 : attempts * perCall,
    recordings: isBrowser ? attempts * prices.s3Write : 0,
    transfer: isFleet ? ((attempts * taskBytes) / 1e9) * prices.outGigabyte : 0,
    service: attempts * agentCostUsd,
  };
}

function logging(events: number, executions: number): number {
  return ((events * bytesPerEvent) / 1e9) * prices.logGigabyte + executions * tracedShare * prices.trace;
}

/** Requests that Prepare, the map and Finish make of S3. */
function storageRequests(rows: number): { readonly writes: number; readonly reads: number } {
  const { table, index, items, attempts, output } = functionFigures.bytesPerRow;
  const { resultFiles } = sizesOfRun(rows);
  const written = [table, index, items, attempts, output].map((bytes) => writesOf(rows * bytes));
  // Besides: the output's trial, the run's description and summary, a manifest, a list.
  const writes = written.reduce((sum, many) => sum + many, 5 + resultFiles);
  // The batch, the table twice, the items, what Prepare has left, a manifest, and whether there is an output already.
  return { writes, reads: 9 + resultFiles };
}

// A large object is announced, sent in parts and concluded.
function writesOf(bytes: number): number {
  const parts = Math.ceil(bytes / partBytes);
  return parts > 1 ? parts + 2 : 1;
}
