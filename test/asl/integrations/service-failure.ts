import { StateFailure } from "../state-failure.ts";

/**
 * An SDK's error as a task's failure: the service's name, and the name of the exception.
 *
 * @param service - `S3`, `DynamoDb`
 */
export function serviceFailure(service: string, error: unknown): StateFailure {
  const { name, message, $metadata } = error as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  };
  const exception = /(Exception|Error)$/.test(name) ? name : `${name}Exception`;
  const status = $metadata?.httpStatusCode ?? 500;
  const requestId = $metadata?.requestId ?? "";
  return new StateFailure(
    `${service}.${exception}`,
    `${message} (Service: ${service}, Status Code: ${status}, Request ID: ${requestId})`,
  );
}
