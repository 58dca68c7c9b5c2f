import { dynamodbGetItem } from "./dynamodb-get-item.ts";
import { dynamodbQuery } from "./dynamodb-query.ts";
import { http } from "./http.ts";
import type { Integration } from "./integration.ts";
import { lambda } from "./lambda.ts";
import { nestedExecution } from "./nested-execution.ts";
import { s3GetObject, s3PutObject } from "./s3.ts";
import { sns } from "./sns.ts";

const integrations: readonly Integration[] = [
  lambda,
  nestedExecution,
  sns,
  dynamodbGetItem,
  dynamodbQuery,
  s3GetObject,
  s3PutObject,
  http,
];

/** The integration that a Task's `Resource` names; undefined for none of them. */
export function findIntegration(resource: string): Integration | undefined {
  const [, name] = /^arn:aws[\w-]*:states:::(.+)$/.exec(resource) ?? [];
  return integrations.find((integration) => integration.resource === name);
}
