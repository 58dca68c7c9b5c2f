import type { Batch } from "../core/batch.ts";
import type { Problem } from "../core/schema.ts";
import { schemeOf } from "../core/uri.ts";
import { checkProblems, createCheck, type Check, type CheckId } from "./check.ts";
import type { Plan } from "./plan.ts";
import { mostRows, type AwsAgentKind, type BrowserHostName, type RunCost } from "../engines/aws/cost.ts";
import { quotas, regionQuotas } from "../engines/aws/prices.ts";
import type { RowDestination } from "../engines/aws/row-settings.ts";

/** Step Functions cannot keep to a rate. */
export function checkRateLimit({ execution: { rateLimit } }: Batch): Check {
  if (rateLimit === undefined) return createCheck("aws_rate_limit", "passed", "None");
  return createCheck(
    "aws_rate_limit",
    "failed",
    `execution_config.rate_limit is ${rateLimit.requestsPerSecond} requests per second, which cannot be kept to there`,
    "Leave it out and choose max_concurrency so that the rate stays below it, or run the batch on this machine.",
  );
}

/** Functions read and write S3 only. */
export function checkPlaces({ inputUri, output }: Batch): Check {
  const problems: Problem[] = [
    { path: "input", uri: inputUri },
    { path: "output", uri: output },
  ].flatMap(({ path, uri }) =>
    uri === undefined || schemeOf(uri) === "s3"
      ? []
      : [
          {
            path,
            message: `${uri} is not in S3`,
            hint: `Name an s3:// URI${path === "input" ? ", and copy the table there" : ""}.`,
          },
        ],
  );
  return checkProblems("aws_places", problems, "Both are", "warning");
}

const noAgent = "There is no agent that could run there";

// A failure's words are kept beside the input while a row waits for its next attempt.
const roomForError = 32 * 1024;

/**
 * A row's input travels with all that its attempt takes.
 *
 * @param bytes - of the largest row's; 0 when it is not known
 */
export function checkPayload(bytes: number): Check {
  if (bytes === 0) return createCheck("aws_payload", "skipped", noAgent);
  const detail = `The largest is ${kib(bytes)} of ${kib(quotas.payloadBytes)}, agent and templates included`;
  const hint = "Map fewer or shorter columns; large texts can stand in S3, with their URI in the table.";
  if (bytes > quotas.payloadBytes) return createCheck("aws_payload", "failed", detail, hint);
  if (bytes > quotas.payloadBytes - roomForError)
    return createCheck("aws_payload", "warning", `${detail}: a row that fails may not fit any more`, hint);
  return createCheck("aws_payload", "passed", detail);
}

/** What a run's size is judged by. */
export interface CapacitySetup {
  readonly batch: Batch;
  readonly plan: Plan;
  readonly region: string;
  readonly browserHost: BrowserHostName;
  /** Undefined without an agent that can run there. */
  readonly kind: AwsAgentKind | undefined;
  readonly destination: RowDestination | undefined;
  /** Undefined while it is not known how long a row takes, and without an agent that can run there. */
  readonly cost: RunCost | undefined;
}

/** What grows with rows and concurrency. */
export function capacityChecks(setup: CapacitySetup): readonly Check[] {
  return [checkConcurrency(setup), checkRates(setup), checkTime(setup), checkSize(setup)];
}

function checkConcurrency({ cost, batch, kind }: CapacitySetup): Check {
  const { maxConcurrency: asked } = batch.execution;
  if (cost === undefined) return unreckoned("aws_concurrency", kind);
  const reached = Math.min(cost.reachedConcurrency, asked);
  if (reached === asked) return createCheck("aws_concurrency", "passed", `${asked}`);
  const why =
    asked > quotas.mapChildren && reached === quotas.mapChildren
      ? `a map runs ${quotas.mapChildren} at once`
      : `a map starts ${quotas.mapStartsPerSecond} rows a second`;
  return createCheck(
    "aws_concurrency",
    "warning",
    `max_concurrency is ${asked}, of which ${reached} are reached: ${why}`,
    "A table in several runs at a time, each with some of the rows, is done sooner.",
  );
}

function checkRates({ cost, region, destination, kind, browserHost }: CapacitySetup): Check {
  if (cost === undefined) return unreckoned("aws_rates", kind);
  const limits = regionQuotas(region);
  const perSecond = cost.transitionsPerSecond;
  const startsPerSecond = destination?.target === "state_machine" ? cost.rowsPerSecond : 0;
  const answersPerSecond = kind === "browser" && browserHost === "fleet" ? startsPerSecond : 0;
  const rates = [
    { what: "transitions", rate: perSecond, limit: limits.transitionsPerSecond },
    { what: "executions of the agent", rate: startsPerSecond, limit: limits.startExecutionsPerSecond },
    { what: "answers of workers", rate: answersPerSecond, limit: limits.taskCallsPerSecond },
  ].filter(({ rate }) => rate > 0);
  const detail = `${rates.map(({ what, rate, limit }) => `${rounded(rate)} of ${limit} ${what} a second`).join(", ")} in ${region}`;
  if (rates.every(({ rate, limit }) => rate <= limit))
    return createCheck("aws_rates", "passed", rates.length === 0 ? "Nothing runs" : detail);
  return createCheck(
    "aws_rates",
    "warning",
    `${detail}: rows will wait`,
    "Lower max_concurrency, or ask AWS for a higher quota.",
  );
}

function checkTime({ batch, browserHost, kind, destination, cost }: CapacitySetup): Check {
  const { timeoutSeconds, retry } = batch.execution;
  const isFunction = kind === "lambda" || (kind === "browser" && browserHost === "lambda");
  const longest =
    ((destination?.settings.task_timeout_seconds ?? timeoutSeconds) + retry.maxDelaySeconds) * (retry.maxAttempts + 1);
  const tooLong = Math.max(longest, cost?.seconds ?? 0) > quotas.executionSeconds;
  if (tooLong)
    return createCheck(
      "aws_time",
      "failed",
      `An execution ends after a year; a row may take ${days(longest)}, the run ${cost === undefined ? "an unknown time" : days(cost.seconds)}`,
      "Lower timeout_seconds or max_attempts, raise max_concurrency, or run the table in parts: --rows.",
    );
  if (isFunction && timeoutSeconds > quotas.functionSeconds)
    return createCheck(
      "aws_time",
      "warning",
      `timeout_seconds is ${timeoutSeconds}, and a function ends after ${quotas.functionSeconds}`,
      "Such rows need workers, or another state machine.",
    );
  return createCheck("aws_time", "passed", `An attempt ${timeoutSeconds} s at most, as the batch says`);
}

// Around a row's input in the file that the map reads.
const lineBytes = 40;

function checkSize({ plan }: CapacitySetup): Check {
  const { rows, inputBytes } = plan;
  const itemsBytes = inputBytes.total + rows * lineBytes;
  const share = Math.max(rows / mostRows, itemsBytes / quotas.itemsBytes);
  const detail = `${rows} rows, of ${mostRows}; the map reads ${megabytes(itemsBytes)}, of ${megabytes(quotas.itemsBytes)}`;
  if (share <= 1) return createCheck("aws_size", "passed", detail);
  return createCheck(
    "aws_size",
    "failed",
    detail,
    `Run it in parts of up to ${Math.floor(rows / share)} rows: --rows.`,
  );
}

function unreckoned(id: CheckId, kind: CapacitySetup["kind"]): Check {
  return kind === undefined
    ? createCheck(id, "skipped", noAgent)
    : createCheck(id, "skipped", "It is not known how long a row takes", "Give --seconds-per-row.");
}

const kib = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;
const days = (seconds: number): string => `${Math.ceil(seconds / 86_400)} days`;
const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
const rounded = (rate: number): string => (rate < 10 ? rate.toFixed(1) : String(Math.round(rate)));
