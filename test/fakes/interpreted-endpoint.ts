import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { activitiesPath, openActivityQueue } from "../../src/runs/activity-queue.ts";
import { openExecutionJournal } from "../../src/runs/execution-journal.ts";
import { openExecutions } from "../../src/app/state-machines/open-executions.ts";
import { createStepFunctionsApi } from "../../src/server/stepfunctions/stepfunctions-api.ts";
import type { ExecutionDescription, Interpreter } from "../asl/interpreter.ts";
import type { InterpreterOptions } from "../asl/interpreter.ts";
import { interpretMachines } from "../asl/interpreted-machine.ts";

/** Our own Step Functions endpoint in front of machines that the interpreter runs. */
export interface InterpretedEndpoint {
  readonly url: string;
  readonly interpreter: Interpreter;
  /** Operations in the order they came. */
  readonly calls: readonly string[];
  close(): Promise<void>;
}

export interface InterpretedEndpointOptions extends Omit<InterpreterOptions, "activities" | "onEvent"> {
  /** Folder of journals. */
  readonly directory: string;
  /** Of the map states whose map runs are shown. */
  readonly mapLabel?: string;
  /** Activities that are there from the beginning. */
  readonly activities?: readonly string[];
}

/** Starts the endpoint on a free port of 127.0.0.1. */
export async function startInterpretedEndpoint(options: InterpretedEndpointOptions): Promise<InterpretedEndpoint> {
  const { directory, mapLabel, activities = [], clock, ...others } = options;
  const queue = openActivityQueue(activitiesPath(directory), { clock, monotonic: clock });
  for (const name of activities) queue.createActivity(name);
  const { interpreter, machines, engine } = interpretMachines({ ...others, clock, activities: queue }, mapLabel);
  const journal = openExecutionJournal(join(directory, "executions.db"), clock);
  const executions = openExecutions({ machines, journal, clock });
  const closing = new AbortController();
  const api = createStepFunctionsApi({
    region: "eu-west-1",
    account: "123456789012",
    machines,
    executions,
    engine,
    activities: queue,
    clock,
    closing: closing.signal,
    authorize: async () => {},
    loopbackOnly: true,
    longPollMs: 2000,
  });
  const calls: string[] = [];
  const app = withItems(api, interpreter, calls);
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    interpreter,
    calls,
    close: async () => {
      closing.abort();
      server.close();
      await interpreter.close();
      await executions.close();
      queue.close();
      server.closeAllConnections();
    },
  };
}

// Our endpoint's items are rows of a run. Here they are executions of their own, as they are on AWS, which the interpreter knows.
function withItems(api: Hono, interpreter: Interpreter, calls: string[]): Hono {
  const app = new Hono();
  app.post("/", async (c) => {
    const operation = c.req.header("x-amz-target")?.replace("AWSStepFunctions.", "") ?? "";
    calls.push(operation);
    const body = (await c.req.raw.clone().json()) as Readonly<Record<string, string | undefined>>;
    const { mapRunArn, executionArn = "", statusFilter } = body;
    if (operation === "ListExecutions" && mapRunArn !== undefined) {
      const id = mapRunArn.split(":").at(-1) ?? "";
      const own = interpreter.findMapRun(id)?.mapRunArn ?? "";
      const items = interpreter.listExecutions({ mapRunArn: own }).filter(({ status }) => status === statusFilter);
      return c.json({ executions: items.map(inSeconds) });
    }
    if (operation === "DescribeExecution" && /:execution:[^:]+\//.test(executionArn))
      return c.json(inSeconds(interpreter.describeExecution(executionArn)));
    return api.fetch(c.req.raw);
  });
  return app;
}

function inSeconds({ startDate, stopDate, ...same }: ExecutionDescription): object {
  return {
    ...same,
    startDate: startDate.getTime() / 1000,
    ...(stopDate === undefined ? {} : { stopDate: stopDate.getTime() / 1000 }),
  };
}
