import { randomUUID } from "node:crypto";
import { StateFailure } from "../state-failure.ts";
import type { LambdaHandler } from "../world.ts";
import { sdkMetadata, type Integration } from "./integration.ts";

/** Lambda itself says no: the function was not run. */
export class LambdaServiceError extends Error {
  /** @param code - as `ErrorEquals` knows it, without `Lambda.`: `TooManyRequestsException` */
  constructor(code: string, message: string, status: number) {
    super(`${message} (Service: Lambda, Status Code: ${status}, Request ID: ${randomUUID()})`);
    this.name = code;
  }
}

/** What Lambda answers when too much runs at a time; a handler throws it. */
export function tooManyRequests(): LambdaServiceError {
  return new LambdaServiceError("TooManyRequestsException", "Rate Exceeded.", 429);
}

/** `lambda:invoke`. */
export const lambda: Integration = {
  resource: "lambda:invoke",
  resourceType: "lambda",
  action: "invoke",
  arguments: { FunctionName: true, Payload: false },
  inExpress: true,
  call: async ({ world, arguments: { FunctionName, Payload = {} }, signal }) => {
    const handler = findHandler(world.lambdas, String(FunctionName));
    try {
      if (handler === undefined)
        throw new LambdaServiceError("ResourceNotFoundException", `Function not found: ${String(FunctionName)}`, 404);
      const payload = (await world.outside(signal, async () => handler(structuredClone(Payload), signal))) ?? null;
      return {
        ExecutedVersion: "$LATEST",
        Payload: structuredClone(payload),
        ...sdkMetadata(randomUUID()),
        StatusCode: 200,
      };
    } catch (error) {
      signal.throwIfAborted();
      throw asFailure(error);
    }
  },
};

// A name, an ARN, or an ARN with a version or an alias, which all mean the same function here.
function findHandler(handlers: Readonly<Record<string, LambdaHandler>>, name: string): LambdaHandler | undefined {
  const [, plain = name] = /:function:([^:]+)/.exec(name) ?? [];
  return handlers[name] ?? handlers[plain];
}

// A handler may also throw what only Step Functions says, such as States.Permissions.
function asFailure(error: unknown): StateFailure {
  if (error instanceof StateFailure) return error;
  if (error instanceof LambdaServiceError) return new StateFailure(`Lambda.${error.name}`, error.message);
  const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const trace = stack.split("\n");
  return new StateFailure(name, JSON.stringify({ errorType: name, errorMessage: message, trace }));
}
