import { z } from "zod";
import { randomUUID } from "node:crypto";
import type { Execution, HistoryEvent } from "../../runs/execution-journal.ts";
import type { JsonObject } from "../../core/json.ts";
import { ApiError, validationError } from "./api-error.ts";
import { describeRow, listRows, parseRowName } from "./map-run-operations.ts";
import { findExecution, findMachine, findMapRun } from "./find.ts";
import { jsonFault, takePage, members } from "./read-request.ts";
import { requireName } from "./arns.ts";
import { operation, seconds, type Endpoint, type Operations } from "./operation.ts";

// Four times what Step Functions takes.
const longestInput = 1024 * 1024;

const target = z.object({ executionArn: members.arn });

/** Executions: started, described, listed, stopped and redriven. */
export function executionOperations(endpoint: Endpoint): Operations {
  const { executions, arns } = endpoint;
  return {
    StartExecution: operation(
      z.object({ stateMachineArn: members.arn, name: members.name.optional(), input: z.string().default("{}") }),
      async ({ stateMachineArn, name = randomUUID(), input }) => {
        requireName(name);
        requireInput(input);
        const { name: machine } = await findMachine(endpoint, stateMachineArn);
        const earlier = executions.find({ machine, name });
        if (earlier !== undefined && (earlier.status !== "RUNNING" || earlier.input !== input)) {
          const arn = arns.execution(earlier);
          throw new ApiError("ExecutionAlreadyExists", `Execution Already Exists: '${arn}'`);
        }
        const execution = earlier ?? executions.start({ machine, name, input });
        return { executionArn: arns.execution(execution), startDate: seconds(execution.startedAt) };
      },
    ),
    DescribeExecution: operation(target, async ({ executionArn }) => {
      const row = parseRowName(arns.read("execution", executionArn).name);
      if (row !== undefined) return describeRow(endpoint, executionArn, row);
      const execution = findExecution(endpoint, executionArn);
      const { input, output, error, cause } = execution;
      return {
        ...summaryOf(endpoint, execution),
        input,
        inputDetails: { included: true },
        output,
        outputDetails: output === undefined ? undefined : { included: true },
        error,
        cause,
        ...redriveStatus(execution),
      };
    }),
    ListExecutions: operation(
      z.object({
        stateMachineArn: members.arn.optional(),
        mapRunArn: members.arn.optional(),
        statusFilter: z.enum(["SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING"]).optional(),
        redriveFilter: z.enum(["REDRIVEN", "NOT_REDRIVEN"]).optional(),
        maxResults: members.maxResults,
        nextToken: members.nextToken(3096),
      }),
      async (request) => {
        const { stateMachineArn, mapRunArn, statusFilter, redriveFilter } = request;
        if ((stateMachineArn === undefined) === (mapRunArn === undefined))
          throw validationError("Exactly one of stateMachineArn and mapRunArn must be given");
        const scope = ["ListExecutions", stateMachineArn, mapRunArn, statusFilter, redriveFilter];
        if (mapRunArn !== undefined) {
          const mapRun = await findMapRun(endpoint, mapRunArn);
          const rows = await takePage(
            request,
            scope,
            (many, cursor) => listRows(endpoint, mapRun, statusFilter, Number(cursor ?? -1) + 1, many),
            ({ row }) => String(row),
          );
          return { executions: rows.items.map(({ view }) => view), nextToken: rows.nextToken };
        }
        const { name: machine } = await findMachine(endpoint, stateMachineArn ?? "");
        if (statusFilter === "PENDING_REDRIVE") return { executions: [] };
        const redriven = redriveFilter === undefined ? undefined : redriveFilter === "REDRIVEN";
        const filter = { machine, status: statusFilter, redriven };
        const { items, nextToken } = await takePage(
          request,
          scope,
          (many, cursor) => executions.list(filter, many, cursor === undefined ? undefined : { machine, name: cursor }),
          ({ name }) => name,
        );
        return { executions: items.map((execution) => summaryOf(endpoint, execution)), nextToken };
      },
    ),
    StopExecution: operation(
      z.object({
        executionArn: members.arn,
        error: z.string().max(256).optional(),
        cause: z.string().max(32_768).optional(),
      }),
      ({ executionArn, ...reason }) => {
        const execution = findExecution(endpoint, executionArn);
        const { stoppedAt } = executions.stop(execution, reason);
        return { stopDate: seconds(stoppedAt ?? endpoint.clock()) };
      },
    ),
    RedriveExecution: operation(
      z.object({ executionArn: members.arn, clientToken: z.string().min(1).max(64).optional() }),
      ({ executionArn, clientToken }) => {
        const execution = findExecution(endpoint, executionArn);
        const isRepeated = clientToken !== undefined && execution.redriveToken === clientToken;
        if (isRepeated) return { redriveDate: seconds(execution.redrivenAt ?? endpoint.clock()) };
        const { redriveStatusReason: reason } = redriveStatus(execution);
        if (reason !== undefined) throw new ApiError("ExecutionNotRedrivable", reason);
        const { redrivenAt } = executions.redrive(execution, clientToken);
        return { redriveDate: seconds(redrivenAt ?? endpoint.clock()) };
      },
    ),
    GetExecutionHistory: operation(
      z.object({
        executionArn: members.arn,
        maxResults: members.maxResults,
        reverseOrder: z.boolean().default(false),
        nextToken: members.nextToken(1024),
        includeExecutionData: z.boolean().default(true),
      }),
      async (request) => {
        const { executionArn, reverseOrder, includeExecutionData } = request;
        const execution = findExecution(endpoint, executionArn);
        const { items, nextToken } = await takePage(
          request,
          ["GetExecutionHistory", executionArn, reverseOrder],
          (many, cursor) =>
            executions.history(
              execution,
              reverseOrder ? "newest" : "oldest",
              many,
              cursor === undefined ? undefined : Number(cursor),
            ),
          ({ id }) => String(id),
        );
        const label = (await endpoint.machines.find(execution.machine))?.mapLabel ?? "";
        const places = { arns, mapRunArn: (run: string) => arns.mapRun(execution.machine, label, run) };
        return { events: items.map((event) => viewEvent(event, places, includeExecutionData)), nextToken };
      },
    ),
  };
}

function requireInput(input: string): void {
  const fault =
    input === ""
      ? "Invalid execution input."
      : input.length > longestInput
        ? `The input has ${input.length} characters; ${longestInput} are allowed.`
        : jsonFault(input);
  if (fault !== undefined)
    throw new ApiError("InvalidExecutionInput", `Invalid State Machine Execution Input: '${fault}'`);
}

function summaryOf({ arns }: Endpoint, execution: Execution): JsonObject {
  const { machine, name, status, startedAt, stoppedAt, redrives, redrivenAt } = execution;
  return {
    executionArn: arns.execution(execution),
    stateMachineArn: arns.of("stateMachine", machine),
    name,
    status,
    startDate: seconds(startedAt),
    stopDate: seconds(stoppedAt),
    redriveCount: redrives,
    redriveDate: seconds(redrivenAt),
  };
}

function redriveStatus({ status }: Execution): { redriveStatus: string; redriveStatusReason?: string } {
  if (status !== "RUNNING" && status !== "SUCCEEDED") return { redriveStatus: "REDRIVABLE" };
  return { redriveStatus: "NOT_REDRIVABLE", redriveStatusReason: `Execution is ${status} and cannot be redriven` };
}

interface EventPlaces {
  readonly arns: Endpoint["arns"];
  mapRunArn(runId: string): string;
}

function viewEvent(event: HistoryEvent, { arns, mapRunArn }: EventPlaces, includesData: boolean): JsonObject {
  const { id, previous, at, type, details } = event;
  const view = { id, previousEventId: previous, timestamp: seconds(at), type };
  if (details === undefined) return view;
  const { input, output, mapRun, ...same } = details;
  return {
    ...view,
    [detailsKey(type)]: {
      ...same,
      ...(includesData && input !== undefined && { input, inputDetails: { truncated: false } }),
      ...(includesData && output !== undefined && { output, outputDetails: { truncated: false } }),
      mapRunArn: typeof mapRun === "string" ? mapRunArn(mapRun) : undefined,
      roleArn: type === "ExecutionStarted" ? arns.role : undefined,
      region: type === "TaskScheduled" ? arns.region : undefined,
    },
  };
}

function detailsKey(type: string): string {
  if (type.endsWith("StateEntered")) return "stateEnteredEventDetails";
  if (type.endsWith("StateExited")) return "stateExitedEventDetails";
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}
