import type { JsonObject } from "../../core/json.ts";

/** An error as Step Functions answers it: its type, and the message that the caller sees. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly type: string;
  readonly status: 400 | 413 | 500 | 503;
  /** More members of the answer. */
  readonly details: JsonObject;

  constructor(type: string, message: string, details: JsonObject = {}, status: ApiError["status"] = 400) {
    super(message);
    this.type = type;
    this.status = status;
    this.details = details;
  }
}

/** The error of a request that is invalid. */
export function validationError(message: string, details: JsonObject = {}): ApiError {
  return new ApiError("ValidationException", message, details);
}
