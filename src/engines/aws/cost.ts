import { RowcallError } from "../../core/errors.ts";
import { figures, prices, quotas } from "./prices.ts";

/** Kinds of agents that run on AWS. */
export type AwsAgentKind = "browser" | "stepfunctions" | "lambda";

/** How a browser agent's attempts are made: by workers, or by a function. */
export type BrowserHostName = "fleet" | "lambda";

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

/**
 * What a run costs and takes, by the prices and figures in `prices.ts`. What is kept in S3 is left out, since for how long is its owner's
 * choice, and so is the machine that a worker runs on.
 */
export function costOfRun({
  rows,
  concurrency,
  secondsPerRow,
  agent = "browser",
  browserHost = "fleet",
  failureShare = 0,
  retriesPerRow = 0,
  agentCostUsd = 0,
  taskBytes = figures.broadbandTaskBytes,
}: RunShape): RunCost {
  const { transitions, eventsPerAttempt, functionMb } = figures;
  const isBrowser = agent === "browser";
  const isFleet = isBrowser && browserHost === "fleet";
  const retries = rows * retriesPerRow;
  const failed = rows * failureShare;
  const attempts = rows + retries;

  // What other machines than a browser agent's pass is not known here.
  const rowTransitions = rows * transitions.row + retries * transitions.retry + failed * transitions.failedRow;
  const { succeeded, failed: ofFailure } = transitions.agent;
  const agentTransitions = isBrowser ? (rows - failed) * succeeded + (retries + failed) * ofFailure[browserHost] : 0;

  // Rows go in waves, and none start faster than Step Functions starts them.
  const { prepareSeconds, finishSeconds, resultFiles, s3Writes } = sizesOfRun(rows);
  const rowSeconds = secondsPerRow * (1 + retriesPerRow);
  const places = Math.min(concurrency, quotas.mapChildren);
  const waves = Math.ceil(rows / places) * rowSeconds;
  const starts = (rows - 1) / quotas.mapStartsPerSecond + rowSeconds;
  const mapSeconds = rows === 0 ? 0 : Math.max(waves, starts);

  const logging = (events: number, executions: number): number =>
    ((events * figures.bytesPerEvent) / 1e9) * prices.logGigabyte + executions * figures.tracedShare * prices.trace;
  const call = (mb: number, seconds: number, gigabyteSecond: number): number =>
    prices.functionCall + (mb / 1024) * seconds * gigabyteSecond;
  const { arm, x86 } = prices.gigabyteSecond;
  const own = {
    rows: rowTransitions * prices.transition,
    run: transitions.run * prices.transition,
    functions: call(functionMb.own, prepareSeconds, arm) + call(functionMb.own, finishSeconds, arm),
    storage: (figures.s3Writes + s3Writes) * prices.s3Write + (figures.s3Reads + resultFiles) * prices.s3Read,
    registry: figures.registryReads * prices.dynamodbRead,
    notification: prices.snsPublish,
    logs: logging(attempts * eventsPerAttempt.row, rows),
  };
  const ofAgent = {
    agentMachine:
      agentTransitions * prices.transition + (isBrowser ? logging(attempts * eventsPerAttempt.agent, attempts) : 0),
    browser: agent === "stepfunctions" || isFleet ? 0 : attempts * call(functionMb[agent], secondsPerRow, x86),
    recordings: isBrowser ? attempts * prices.s3Write : 0,
    transfer: isFleet ? ((attempts * taskBytes) / 1e9) * prices.outGigabyte : 0,
    service: attempts * agentCostUsd,
  };
  const sum = (parts: Readonly<Record<string, number>>): number =>
    Object.values(parts).reduce((all, part) => all + part, 0);
  return {
    rows,
    concurrency,
    reachedConcurrency: Math.min(places, Math.max(1, Math.ceil(quotas.mapStartsPerSecond * rowSeconds))),
    seconds: prepareSeconds + mapSeconds + finishSeconds,
    transitions: rowTransitions + transitions.run + agentTransitions,
    rowsPerSecond: mapSeconds === 0 ? 0 : rows / mapSeconds,
    transitionsPerSecond: mapSeconds === 0 ? 0 : (rowTransitions + agentTransitions) / mapSeconds,
    usd: { ...own, ...ofAgent },
    orchestrationUsd: sum(own),
    agentUsd: sum(ofAgent),
    totalUsd: sum(own) + sum(ofAgent),
  };
}

/** What a run of so many rows comes to in files and in functions. */
export interface RunSizes {
  /** Bytes of the file that the map reads its rows from. */
  readonly itemsBytes: number;
  /** Files of results that the map writes. */
  readonly resultFiles: number;
  /** Requests that write to S3 and grow with the rows. */
  readonly s3Writes: number;
  /** Seconds until the map has started the last row, at best. */
  readonly startSeconds: number;
  readonly prepareSeconds: number;
  readonly finishSeconds: number;
  /** Bytes on Finish's disk. */
  readonly diskBytes: number;
}

/** What a run of so many rows comes to, for rows as large as the broadband agent's. */
export function sizesOfRun(rows: number): RunSizes {
  const { startSeconds, prepareRowsPerSecond, finishRowsPerSecond, diskBytesPerRow, bytesPerRow, partBytes } = figures;
  const { table, index, items, results, attempts, output } = bytesPerRow;
  const resultFiles = Math.ceil((rows * results) / partBytes);
  const files = [table, index, items, attempts, output].map((bytes) => Math.ceil((rows * bytes) / partBytes));
  return {
    itemsBytes: rows * items,
    resultFiles,
    // A large object is announced, sent in parts and concluded.
    s3Writes: files.reduce((all, parts) => all + (parts > 1 ? parts + 2 : 1), resultFiles),
    startSeconds: rows / quotas.mapStartsPerSecond,
    prepareSeconds: startSeconds + rows / prepareRowsPerSecond,
    finishSeconds: startSeconds + rows / finishRowsPerSecond,
    diskBytes: rows * diskBytesPerRow,
  };
}

/** Most rows of one run: with more, Finish would come near the limits of a function, after all had been spent. */
export const mostRows = 7_000_000;

/**
 * Refuses a run before it costs anything whose results Finish could not put together.
 *
 * @throws RowcallError BATCH_INVALID
 */
export function requireRunSize(rows: number): void {
  if (rows <= mostRows) return;
  throw new RowcallError("BATCH_INVALID", `The batch has ${rows} rows, and a run on AWS takes ${mostRows} at most`, {
    hint: `Run it in parts: "rowcall": {"rows": [[0, ${mostRows - 1}]]} in the execution's input, and the rest in others.`,
  });
}
