import { z } from "zod";
import type { TokenVerdict } from "../../core/activity.ts";
import { ApiError } from "./api-error.ts";
import { jsonFault } from "./json-fault.ts";
import { operation, type Endpoint, type Operations } from "./operation.ts";

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
