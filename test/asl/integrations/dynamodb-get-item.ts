import type { GetItemCommandInput } from "@aws-sdk/client-dynamodb";
import type { JsonValue } from "../../../src/core/json.ts";
import { sdkMetadata, type Integration } from "./integration.ts";
import { serviceFailure } from "./service-failure.ts";

/** `dynamodb:getItem`; values are DynamoDB's JSON, and a key that is not there has no `Item`. */
export const dynamodbGetItem: Integration = {
  resource: "dynamodb:getItem",
  resourceType: "dynamodb",
  action: "getItem",
  arguments: {
    TableName: true,
    Key: true,
    ConsistentRead: false,
    ProjectionExpression: false,
    ExpressionAttributeNames: false,
  },
  inExpress: true,
  call: async ({ world, arguments: input, signal }) => {
    const { GetItemCommand } = await import("@aws-sdk/client-dynamodb");
    try {
      const client = await world.aws.dynamodb();
      const { Item, $metadata } = await world.outside(signal, () =>
        client.send(new GetItemCommand(input as unknown as GetItemCommandInput), { abortSignal: signal }),
      );
      return {
        ...(Item === undefined ? {} : { Item: Item as unknown as JsonValue }),
        ...sdkMetadata($metadata.requestId ?? ""),
      };
    } catch (error) {
      signal.throwIfAborted();
      throw serviceFailure("DynamoDB", error);
    }
  },
};
