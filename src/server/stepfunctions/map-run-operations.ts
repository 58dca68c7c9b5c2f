import { z } from "zod";
import type { RunLimits } from "../../core/engine.ts";
import type { Execution } from "../../aws/execution.ts";
import type { JsonObject } from "../../core/json.ts";
import type { RowCounts, Run } from "../../core/run.ts";
import { validationError } from "./api-error.ts";
import { findExecution, findMapRun, type MapRun } from "./find.ts";
import { operation, seconds, withoutUndefined, type Endpoint, type Operations } from "./operation.ts";
import { takeSlice } from "./page-tokens.ts";
import { members } from "./read-request.ts";

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
        return withoutUndefined({ mapRuns, nextToken });
      },
    ),
    DescribeMapRun: operation(z.object({ mapRunArn: members.arn }), async ({ mapRunArn }) => {
      const mapRun = await findMapRun(endpoint, mapRunArn);
      const { execution, runId } = mapRun;
      const run = await engine.describe(runId);
      const limits = await engine.limits(runId);
      const counts = countsOf(run.counts, run.outputUri !== undefined);
      return withoutUndefined({
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
        redriveDate: execution.redrivenAt === undefined ? undefined : seconds(execution.redrivenAt),
      });
    }),
    UpdateMapRun: operation(
      z.object({
        mapRunArn: members.arn,
        maxConcurrency: z.int().min(0).optional(),
        toleratedFailurePercentage: z.number().min(0).max(100).optional(),
        toleratedFailureCount: z.int().min(0).optional(),
      }),
      async ({ mapRunArn, maxConcurrency, toleratedFailurePercentage, toleratedFailureCount }) => {
        const { execution, runId } = await findMapRun(endpoint, mapRunArn);
        if (execution.status !== "RUNNING") {
          const reason = { reason: "CANNOT_UPDATE_COMPLETED_MAP_RUN" };
          throw validationError(`The map run has ended and cannot be updated: '${mapRunArn}'`, reason);
        }
        const change: Partial<RunLimits> = {
          ...(maxConcurrency === undefined
            ? {}
            : { maxConcurrency: maxConcurrency === 0 ? unlimited : maxConcurrency }),
          ...(toleratedFailurePercentage === undefined ? {} : { toleratedFailurePercentage }),
          ...(toleratedFailureCount === undefined ? {} : { toleratedFailureCount }),
        };
        if (Object.keys(change).length === 0) {
          const reason = { reason: "MISSING_REQUIRED_PARAMETER" };
          throw validationError(
            "One of maxConcurrency, toleratedFailurePercentage and toleratedFailureCount must be given",
            reason,
          );
        }
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
  return { startDate: seconds(createdAt), ...(stoppedAt === undefined ? {} : { stopDate: seconds(stoppedAt) }) };
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
