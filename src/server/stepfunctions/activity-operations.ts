import { z } from "zod";
import { findActivity, findMachine } from "./find.ts";
import { requireName } from "./arns.ts";
import { operation, seconds, type Endpoint, type Operations } from "./operation.ts";
import { takeSlice, members, jsonFault } from "./read-request.ts";
import type { TokenVerdict } from "../../core/activity.ts";
import { ApiError } from "./api-error.ts";

const target = z.object({ activityArn: members.arn });

/** Activities, and the tasks that workers fetch from them. */
export function activityOperations(endpoint: Endpoint): Operations {
  const { activities, arns, longPollMs, closing } = endpoint;
  return {
    CreateActivity: operation(z.object({ name: members.name }), ({ name }) => {
      requireName(name);
      const { createdAt } = activities.createActivity(name);
      return { activityArn: arns.of("activity", name), creationDate: seconds(createdAt) };
    }),
    DeleteActivity: operation(target, ({ activityArn }) => {
      const { name, isHere } = arns.read("activity", activityArn);
      if (isHere) activities.deleteActivity(name);
      return {};
    }),
    DescribeActivity: operation(target, ({ activityArn }) => {
      const { name, createdAt } = findActivity(endpoint, activityArn);
      const encryptionConfiguration = { type: "AWS_OWNED_KEY" };
      return { activityArn, name, creationDate: seconds(createdAt), encryptionConfiguration };
    }),
    ListActivities: operation(
      z.object({ maxResults: members.maxResults, nextToken: members.nextToken(1024) }),
      async (request) => {
        const { items, nextToken } = await takeSlice(request, ["ListActivities"], activities.listActivities());
        const listed = items.map(({ name, createdAt }) => ({
          activityArn: arns.of("activity", name),
          name,
          creationDate: seconds(createdAt),
        }));
        return { activities: listed, nextToken };
      },
    ),
    GetActivityTask: operation(
      z.object({ activityArn: members.arn, workerName: members.name.optional() }),
      async ({ activityArn, workerName = "" }, { signal }) => {
        const { name } = findActivity(endpoint, activityArn);
        const over = AbortSignal.any([signal, closing, AbortSignal.timeout(longPollMs)]);
        const task = await activities.take(name, workerName, over);
        if (task === undefined) return {};
        // Until the answer has been sent the task is nobody's.
        const putBack = (): void => activities.putBack(task.token);
        if (signal.aborted) putBack();
        else signal.addEventListener("abort", putBack, { once: true });
        return { taskToken: task.token, input: task.input };
      },
    ),
  };
}

const taskToken = z.string().min(1).max(2048);

/** What workers tell of the tasks that they have. */
export function taskOperations({ activities }: Endpoint): Operations {
  return {
    SendTaskSuccess: operation(z.object({ taskToken, output: z.string() }), (request) => {
      const fault = jsonFault(request.output);
      if (fault !== undefined) throw new ApiError("InvalidOutput", `Invalid Output: '${fault}'`);
      return accepted(request.taskToken, activities.succeed(request.taskToken, request.output));
    }),
    SendTaskFailure: operation(
      z.object({ taskToken, error: z.string().max(256).optional(), cause: z.string().max(32_768).optional() }),
      (request) => accepted(request.taskToken, activities.fail(request.taskToken, request.error, request.cause)),
    ),
    SendTaskHeartbeat: operation(z.object({ taskToken }), (request) =>
      accepted(request.taskToken, activities.heartbeat(request.taskToken)),
    ),
  };
}

function accepted(token: string, verdict: TokenVerdict): Record<string, never> {
  if (verdict === "accepted") return {};
  const gone = "Provided task does not exist anymore";
  if (verdict === "over") throw new ApiError("TaskTimedOut", `Task Timed Out: '${gone}'`);
  // A token that was given once, for a task that was taken back; anything else was never one.
  if (/^[\w-]{43}$/.test(token)) throw new ApiError("TaskDoesNotExist", `Task Does Not Exist: '${gone}'`);
  throw new ApiError("InvalidToken", "Invalid Token: 'Invalid token'");
}

/** Tags: nothing here has any. */
export function tagOperations(endpoint: Endpoint): Operations {
  return {
    ListTagsForResource: operation(z.object({ resourceArn: members.arn }), async ({ resourceArn }) => {
      if (/:activity:/.test(resourceArn)) findActivity(endpoint, resourceArn);
      else await findMachine(endpoint, resourceArn);
      return { tags: [] };
    }),
  };
}
