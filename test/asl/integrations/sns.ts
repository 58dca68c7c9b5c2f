import type { PublishCommandInput } from "@aws-sdk/client-sns";
import { sdkMetadata, type Integration } from "./integration.ts";
import { serviceFailure } from "./service-failure.ts";

/** `sns:publish`; a message that is no text is sent as JSON. */
export const sns: Integration = {
  resource: "sns:publish",
  resourceType: "sns",
  action: "publish",
  arguments: { TopicArn: true, Message: true, Subject: false, MessageAttributes: false, MessageStructure: false },
  inExpress: true,
  call: async ({ world, arguments: { Message, ...others }, signal }) => {
    const { PublishCommand } = await import("@aws-sdk/client-sns");
    const text = typeof Message === "string" ? Message : JSON.stringify(Message);
    const input = { ...others, Message: text } as unknown as PublishCommandInput;
    try {
      const client = await world.aws.sns();
      const { MessageId = "", $metadata } = await world.outside(signal, () =>
        client.send(new PublishCommand(input), { abortSignal: signal }),
      );
      return { MessageId, ...sdkMetadata($metadata.requestId ?? "") };
    } catch (error) {
      signal.throwIfAborted();
      throw serviceFailure("SNS", error);
    }
  },
};
