import type { RowReport, RowStatus } from "../../core/engine.ts";
import type { ExecutionId, Execution } from "../../runs/execution-journal.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Run, RowCounts } from "../../core/run.ts";
import { doesNotExist } from "./arns.ts";
import { type MapRun, findExecution, findMapRun } from "./find.ts";
import { seconds, type Endpoint, operation, type Operations } from "./operation.ts";
import { z } from "zod";
import { validationError } from "./api-error.ts";
import { takeSlice, members } from "./read-request.ts";

/** Which row of which run an execution's name means. */
export interface RowName {
  readonly runId: string;
  readonly row: number;
}

const statuses: Readonly<Partial<Record<RowStatus, string>>> = {
  in_flight: "RUNNING",
  succeeded: "SUCCEEDED",
  failed: "FAILED",
};

/** Reads the name of a row's execution, `machine/label:run-row-12`; undefined for that of any other. */
export function parseRowName(name: string): RowName | undefined {
  const [, runId, row] = /^[^:]*\/[^:]*:(.+)-row-(\d+)$/.exec(name) ?? [];
  return runId === undefined ? undefined : { runId, row: Number(row) };
}

/** A row as Step Functions lists the execution of an item. */
export interface ListedRow {
  readonly row: number;
  readonly view: JsonObject;
}

/**
 * The rows of a map run that have been begun, in their order: what Step Functions lists as its child executions.
 *
 * @param first - begins with this row
 * @param many - at most so many
 */
export async function listRows(
  { engine, arns }: Endpoint,
  mapRun: MapRun,
  statusFilter: string | undefined,
  first: number,
  many: number,
): Promise<readonly ListedRow[]> {
  const status = (Object.keys(statuses) as RowStatus[]).find((key) => statuses[key] === statusFilter);
  if (statusFilter !== undefined && status === undefined) return [];
  const run = await engine.describe(mapRun.runId);
  const listed: ListedRow[] = [];
  for await (const report of engine.rows(run.id, { rows: [[first, Number.MAX_SAFE_INTEGER]], status })) {
    if (report.status === "pending") continue;
    listed.push({ row: report.row, view: summaryOf(report, mapRun, run, arns) });
    if (listed.length === many) break;
  }
  return listed;
}

/**
 * A row as Step Functions describes the execution of an item.
 *
 * @throws ApiError ExecutionDoesNotExist
 */
export async function describeRow(endpoint: Endpoint, arn: string, { runId, row }: RowName): Promise<JsonObject> {
  const { engine, executions, machines, arns } = endpoint;
  const execution = executions.findByRun(runId);
  const label = execution && (await machines.find(execution.machine))?.mapLabel;
  if (execution === undefined || label === undefined) throw doesNotExist("execution", arn);
  const run = await engine.describe(runId);
  for await (const report of engine.rows(runId, { rows: [[row, row]] })) {
    if (report.status === "pending") break;
    const mapRun = { execution, label, runId };
    const known = arns.execution(idOf(mapRun, row));
    if (known !== arn) throw doesNotExist("execution", arn, known);
    const outcome = report.status === "in_flight" ? undefined : report.attempts.at(-1)?.outcome;
    return {
      ...summaryOf(report, mapRun, run, arns),
      input: JSON.stringify(report.input ?? report.cells),
      inputDetails: { included: true },
      ...(outcome?.status === "succeeded" && {
        output: JSON.stringify({ structured_output: outcome.output }),
        outputDetails: { included: true },
      }),
      ...(outcome?.status === "failed" && { error: outcome.code, cause: outcome.message }),
      redriveStatus: "NOT_REDRIVABLE",
      redriveStatusReason: "A row is redriven with the execution that it belongs to",
    };
  }
  throw doesNotExist("execution", arn);
}

function idOf({ execution, label, runId }: MapRun, row: number): ExecutionId {
  return { machine: `${execution.machine}/${label}`, name: `${runId}-row-${row}` };
}

function summaryOf(report: RowReport, mapRun: MapRun, run: Run, arns: Endpoint["arns"]): JsonObject {
  const { execution, label, runId } = mapRun;
  const { machine, name } = idOf(mapRun, report.row);
  const { attempts } = report;
  const last = attempts.at(-1);
  return {
    executionArn: arns.execution({ machine, name }),
    stateMachineArn: arns.of("stateMachine", machine),
    mapRunArn: arns.mapRun(execution.machine, label, runId),
    name,
    status: statuses[report.status],
    startDate: seconds(attempts[0]?.startedAt ?? run.createdAt),
    stopDate: report.status === "in_flight" ? undefined : seconds(last?.endedAt),
    itemCount: 1,
    redriveCount: 0,
  };
}

// What Step Functions makes of a concurrency of 0.
const unlimited = 10_000;

/** Map runs: what an execution of a batch does with its rows. */
export function mapRunOperations(endpoint: Endpoint): Operations {
  const { engine, arns } = endpoint;
  return {
    ListMapRuns: operation(
      z.object({ executionArn: members.arn, maxResults: members.maxResults, nextToken: members.nextToken(1024) }),
      async (request) => {
        const execution = findExecution(endpoint, request.executionArn);
        const label = (await endpoint.machines.find(execution.machine))?.mapLabel;
        const { runId } = execution;
        const own = runId === undefined || label === undefined ? [] : [{ execution, label, runId }];
        const { items, nextToken } = await takeSlice(request, ["ListMapRuns", request.executionArn], own);
        const mapRuns = await Promise.all(
          items.map(async (mapRun) => ({
            ...namesOf(endpoint, mapRun),
            stateMachineArn: arns.of("stateMachine", `${execution.machine}/${label ?? ""}`),
            ...datesOf(execution, await engine.describe(mapRun.runId)),
          })),
        );
        return { mapRuns, nextToken };
      },
    ),
    DescribeMapRun: operation(z.object({ mapRunArn: members.arn }), async ({ mapRunArn }) => {
      const mapRun = await findMapRun(endpoint, mapRunArn);
      const { execution, runId } = mapRun;
      const run = await engine.describe(runId);
      const limits = await engine.limits(runId);
      const counts = countsOf(run.counts, run.outputUri !== undefined);
      return {
        ...namesOf(endpoint, mapRun),
        ...datesOf(execution, run),
        status: execution.status,
        maxConcurrency: limits.maxConcurrency,
        // Where a batch says nothing, any number of rows may fail.
        toleratedFailurePercentage:
          limits.toleratedFailurePercentage ?? (limits.toleratedFailureCount === undefined ? 100 : 0),
        toleratedFailureCount: limits.toleratedFailureCount ?? 0,
        itemCounts: counts,
        executionCounts: counts,
        redriveCount: execution.redrives,
        redriveDate: seconds(execution.redrivenAt),
      };
    }),
    UpdateMapRun: operation(
      z.object({
        mapRunArn: members.arn,
        maxConcurrency: z.int().min(0).optional(),
        toleratedFailurePercentage: z.number().min(0).max(100).optional(),
        toleratedFailureCount: z.int().min(0).optional(),
      }),
      async ({ mapRunArn, ...change }) => {
        const { execution, runId } = await findMapRun(endpoint, mapRunArn);
        if (execution.status !== "RUNNING") {
          throw validationError(`The map run has ended and cannot be updated: '${mapRunArn}'`, {
            reason: "CANNOT_UPDATE_COMPLETED_MAP_RUN",
          });
        }
        if (Object.keys(change).length === 0) {
          throw validationError(
            "One of maxConcurrency, toleratedFailurePercentage and toleratedFailureCount must be given",
            { reason: "MISSING_REQUIRED_PARAMETER" },
          );
        }
        if (change.maxConcurrency === 0) change.maxConcurrency = unlimited;
        await engine.adjust(runId, change);
        return {};
      },
    ),
  };
}

function namesOf({ arns }: Endpoint, { execution, label, runId }: MapRun): JsonObject {
  return { executionArn: arns.execution(execution), mapRunArn: arns.mapRun(execution.machine, label, runId) };
}

function datesOf({ stoppedAt }: Execution, { createdAt }: Run): JsonObject {
  return { startDate: seconds(createdAt), stopDate: seconds(stoppedAt) };
}

function countsOf({ total, succeeded, failed, inFlight, pending }: RowCounts, isWritten: boolean): JsonObject {
  return {
    total,
    pending,
    running: inFlight,
    succeeded,
    failed,
    timedOut: 0,
    aborted: 0,
    resultsWritten: isWritten ? succeeded + failed : 0,
    failuresNotRedrivable: 0,
    pendingRedrive: 0,
  };
}
