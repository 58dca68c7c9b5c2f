import type { ActivityQueue } from "../../src/core/activity.ts";
import type { TaskSource } from "../../src/engines/worker/task-source.ts";

/** The tasks of an activity straight from its queue, for workers in this process. */
export function queueTasks(queue: ActivityQueue, activity: string, worker: string): TaskSource {
  return {
    take: async (signal) => {
      if (queue.findActivity(activity) === undefined) {
        return { status: "no_activity", others: queue.listActivities().map(({ name }) => name) };
      }
      const task = await queue.take(activity, worker, signal);
      return task === undefined ? { status: "none" } : { status: "task", task };
    },
    heartbeat: async (token) => queue.heartbeat(token),
    succeed: async (token, output) => queue.succeed(token, output),
    fail: async (token, error, cause) => queue.fail(token, error, cause),
    close: async () => {},
  };
}
