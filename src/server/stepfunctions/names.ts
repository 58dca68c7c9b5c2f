import { ApiError } from "./api-error.ts";

/**
 * Whether Step Functions takes a text for a name.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export function isName(text: string): boolean {
  return text.length > 0 && text.length <= 80 && !/[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/.test(text);
}

/** @throws ApiError InvalidName */
export function requireName(text: string): void {
  if (!isName(text)) throw new ApiError("InvalidName", `Invalid Name: '${text}'`);
}
