import type { RowReport, RowStatus } from "../../core/engine.ts";
import type { ExecutionId } from "../../aws/execution.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Run } from "../../core/run.ts";
import { doesNotExist } from "./arns.ts";
import type { MapRun } from "./find.ts";
import { seconds, withoutUndefined, type Endpoint } from "./operation.ts";

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
  const filter = { rows: [[first, Number.MAX_SAFE_INTEGER]] as const, ...(status === undefined ? {} : { status }) };
  for await (const report of engine.rows(run.id, filter)) {
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
    return withoutUndefined({
      ...summaryOf(report, mapRun, run, arns),
      input: JSON.stringify(report.input ?? report.cells),
      inputDetails: { included: true },
      ...(outcome?.status === "succeeded"
        ? { output: JSON.stringify({ structured_output: outcome.output }), outputDetails: { included: true } }
        : {}),
      ...(outcome?.status === "failed" ? { error: outcome.code, cause: outcome.message } : {}),
      redriveStatus: "NOT_REDRIVABLE",
      redriveStatusReason: "A row is redriven with the execution that it belongs to",
    });
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
  return withoutUndefined({
    executionArn: arns.execution({ machine, name }),
    stateMachineArn: arns.of("stateMachine", machine),
    mapRunArn: arns.mapRun(execution.machine, label, runId),
    name,
    status: statuses[report.status],
    startDate: seconds(attempts[0]?.startedAt ?? run.createdAt),
    stopDate: report.status === "in_flight" || last === undefined ? undefined : seconds(last.endedAt),
    itemCount: 1,
    redriveCount: 0,
  });
}
