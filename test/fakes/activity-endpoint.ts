import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ActivityQueue, TokenVerdict } from "../../src/core/activity.ts";
import { parseArn } from "../../src/aws/aws.ts";

/** An endpoint that speaks as Step Functions does to workers. */
export interface ActivityEndpoint {
  readonly url: string;
  /** Operations in the order they came. */
  readonly calls: readonly string[];
  /** The ARN of an activity here. */
  arnOf(activity: string): string;
  close(): Promise<void>;
}

/** What a test's endpoint is told to do. */
export interface EndpointOptions {
  /** How long a worker waits for a task. @default 2000 */
  readonly pollMs?: number;
  /** An error to answer an operation with, in place of doing it. */
  readonly refuse?: (operation: string) => { readonly type: string; readonly message: string } | undefined;
  /** @default 0, any free port */
  readonly port?: number;
}

class ApiError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const prefix = "arn:aws:states:eu-west-1:000000000000:activity:";

/** Serves the operations of workers over queues, on a free port of 127.0.0.1. */
export async function startActivityEndpoint(
  queue: ActivityQueue,
  { pollMs = 2000, refuse, port = 0 }: EndpointOptions = {},
): Promise<ActivityEndpoint> {
  const calls: string[] = [];

  const perform = async (
    operation: string,
    body: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<object> => {
    const { activityArn = "", workerName = "", taskToken = "", output = "", error, cause, name = "" } = body;
    switch (operation) {
      case "CreateActivity":
        queue.createActivity(name);
        return { activityArn: `${prefix}${name}`, creationDate: 0 };
      case "ListActivities":
        return {
          activities: queue
            .listActivities()
            .map((activity) => ({ activityArn: `${prefix}${activity.name}`, name: activity.name, creationDate: 0 })),
        };
      case "GetActivityTask": {
        const activity = parseArn(activityArn)?.resource.replace("activity:", "") ?? "";
        if (queue.findActivity(activity) === undefined)
          throw new ApiError("ActivityDoesNotExist", `Activity Does Not Exist: '${activityArn}'`);
        const task = await queue.take(activity, workerName, AbortSignal.any([signal, AbortSignal.timeout(pollMs)]));
        if (task === undefined) return {};
        if (signal.aborted) queue.putBack(task.token);
        return { taskToken: task.token, input: task.input };
      }
      case "SendTaskHeartbeat":
        return heed(queue.heartbeat(taskToken));
      case "SendTaskSuccess":
        return heed(queue.succeed(taskToken, output));
      case "SendTaskFailure":
        return heed(queue.fail(taskToken, error, cause));
      default:
        throw new ApiError("UnknownOperationException", operation);
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const operation = String(request.headers["x-amz-target"]).replace("AWSStepFunctions.", "");
    calls.push(operation);
    const reply = (status: number, value: object): void => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(value));
    };
    try {
      const text = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString("utf8");
      const refused = refuse?.(operation);
      if (refused !== undefined) throw new ApiError(refused.type, refused.message);
      reply(200, await perform(operation, JSON.parse(text) as Record<string, string>, gone.signal));
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      reply(400, { __type: thrown.type, message: thrown.message });
    }
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    arnOf: (activity) => `${prefix}${activity}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function heed(verdict: TokenVerdict): object {
  if (verdict === "over") throw new ApiError("TaskTimedOut", "Task Timed Out");
  if (verdict === "unknown") throw new ApiError("TaskDoesNotExist", "Task Does Not Exist");
  return {};
}
