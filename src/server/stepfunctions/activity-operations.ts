import { z } from "zod";
import { findActivity } from "./find.ts";
import { requireName } from "./names.ts";
import { operation, seconds, withoutUndefined, type Endpoint, type Operations } from "./operation.ts";
import { takeSlice } from "./page-tokens.ts";
import { members } from "./read-request.ts";

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
        return withoutUndefined({ activities: listed, nextToken });
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
