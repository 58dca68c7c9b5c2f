import type { GetObjectCommandInput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Integration } from "./integration.ts";
import { serviceFailure } from "./service-failure.ts";

/** `aws-sdk:s3:getObject`; the body is a text. */
export const s3GetObject: Integration = {
  resource: "aws-sdk:s3:getObject",
  resourceType: "aws-sdk:s3",
  action: "getObject",
  arguments: { Bucket: true, Key: true, VersionId: false },
  inExpress: true,
  call: async ({ world, arguments: input, signal }) => {
    const { GetObjectCommand } = await import("@aws-sdk/client-s3");
    try {
      const client = await world.aws.s3();
      return await world.outside(signal, async () => {
        const command = new GetObjectCommand(input as unknown as GetObjectCommandInput);
        const { $metadata: _, Body, ...answer } = await client.send(command, { abortSignal: signal });
        return { ...plain(answer), Body: (await Body?.transformToString()) ?? "" };
      });
    } catch (error) {
      signal.throwIfAborted();
      throw serviceFailure("S3", error);
    }
  },
};

/** `aws-sdk:s3:putObject`; a body that is no text is written as JSON. */
export const s3PutObject: Integration = {
  resource: "aws-sdk:s3:putObject",
  resourceType: "aws-sdk:s3",
  action: "putObject",
  arguments: { Bucket: true, Key: true, Body: false, ContentType: false, IfNoneMatch: false, Metadata: false },
  inExpress: true,
  call: async ({ world, arguments: { Body = "", ...others }, signal }) => {
    const { PutObjectCommand } = await import("@aws-sdk/client-s3");
    const body = typeof Body === "string" ? Body : JSON.stringify(Body);
    const input = { ...others, Body: body } as unknown as PutObjectCommandInput;
    try {
      const client = await world.aws.s3();
      const { $metadata: _, ...answer } = await world.outside(signal, () =>
        client.send(new PutObjectCommand(input), { abortSignal: signal }),
      );
      return plain(answer);
    } catch (error) {
      signal.throwIfAborted();
      throw serviceFailure("S3", error);
    }
  },
};

// Dates become texts, and what is undefined goes.
function plain(answer: object): JsonObject {
  return JSON.parse(JSON.stringify(answer)) as JsonObject;
}
