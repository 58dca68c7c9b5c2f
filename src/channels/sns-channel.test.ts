import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { CreateTopicCommand, DeleteTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { aNotification, channelContract } from "../../test/contracts/channel-contract.ts";
import { startService } from "../../test/fakes/echo-service.ts";
import { createTestTiming } from "../../test/fakes/timing.ts";
import { emulatedAccount, startEmulators, type Emulators } from "../cli/sandbox/emulators.ts";
import type { ChannelOptions } from "./channel-options.ts";
import { openSnsChannel, snsSubject } from "./sns-channel.ts";

const region = "eu-west-1";
const credentials = { accessKeyId: "test", secretAccessKey: "test" };

/** A message as SNS hands it to a queue. */
interface Envelope {
  readonly Subject?: string;
  readonly Message: string;
  readonly MessageAttributes: Readonly<Record<string, { readonly Type: string; readonly Value: string }>>;
}

describe("a topic of SNS", () => {
  let emulators: Emulators;
  let sns: SNSClient;
  let sqs: SQSClient;
  let options: Pick<ChannelOptions, "aws" | "timing">;
  let made = 0;

  before(async () => {
    emulators = await startEmulators(region);
    const client = { endpoint: emulators.url, region, credentials };
    sns = new SNSClient(client);
    sqs = new SQSClient(client);
    options = {
      aws: { credentials, region: "us-east-1", endpoints: { SNS: emulators.url } },
      timing: createTestTiming(),
    };
  });
  after(async () => {
    sns.destroy();
    sqs.destroy();
    await emulators.close();
  });

  /** A topic, and what a queue that is subscribed to it has got. */
  async function createTopic(fifo = false): Promise<{ arn: string; received(): Promise<readonly Envelope[]> }> {
    const name = `done-${(made += 1)}${fifo ? ".fifo" : ""}`;
    const { TopicArn: arn = "" } = await sns.send(
      new CreateTopicCommand({ Name: name, ...(fifo ? { Attributes: { FifoTopic: "true" } } : {}) }),
    );
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({ QueueName: name, ...(fifo ? { Attributes: { FifoQueue: "true" } } : {}) }),
    );
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
    await sns.send(new SubscribeCommand({ TopicArn: arn, Protocol: "sqs", Endpoint: Attributes?.QueueArn }));
    const received = async (): Promise<readonly Envelope[]> => {
      const envelopes: Envelope[] = [];
      for (;;) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return envelopes;
        for (const { Body = "", ReceiptHandle } of Messages) {
          envelopes.push(JSON.parse(Body) as Envelope);
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    };
    return { arn, received };
  }

  channelContract("arn:aws:sns:…", async () => {
    const topic = await createTopic();
    return {
      channel: openSnsChannel(topic.arn, options),
      received: async () => (await topic.received()).map(({ Message }) => Message),
      refuse: async () => void (await sns.send(new DeleteTopicCommand({ TopicArn: topic.arn }))),
      close: async () => {},
    };
  });

  test("carries the counts as attributes that a subscription can filter by", async () => {
    const { arn, received } = await createTopic();
    const { run, ...rest } = aNotification();
    await openSnsChannel(arn, options).notify({ ...rest, run: { ...run, outputUri: "s3://results/a.csv" } });
    await openSnsChannel(arn, options).notify({ ...rest, kind: "failure", run: { ...run, status: "failed" } });
    const [success, failure] = await received();
    assert.equal(success?.Subject, 'Rowcall run run-1 succeeded: 2 of 3 rows "quoted" ?');
    assert.deepEqual(success?.MessageAttributes, {
      status: { Type: "String", Value: "SUCCESS" },
      execution_id: { Type: "String", Value: "run-1" },
      agent: { Type: "String", Value: "lookup@1.0.0" },
      rows_total: { Type: "Number", Value: "3" },
      rows_successful: { Type: "Number", Value: "2" },
      rows_failed: { Type: "Number", Value: "1" },
      output_s3_uri: { Type: "String", Value: "s3://results/a.csv" },
    });
    assert.equal(failure?.MessageAttributes["status"]?.Value, "FAILURE");
    assert.equal(failure?.MessageAttributes["output_s3_uri"], undefined);
  });

  test("a FIFO topic gets a run's notifications in order, and the same delivery once", async () => {
    const { arn, received } = await createTopic(true);
    const channel = openSnsChannel(arn, options);
    await channel.notify(aNotification());
    await channel.notify(aNotification());
    await channel.notify({ ...aNotification(), id: "another" });
    assert.equal((await received()).length, 2);
  });

  test("a topic that is not there is told with what to check", async () => {
    const arn = `arn:aws:sns:${region}:${emulatedAccount}:nowhere`;
    await assert.rejects(openSnsChannel(arn, options).notify(aNotification()), {
      code: "CHANNEL_FAILED",
      message: /^Cannot publish to arn:aws:sns:eu-west-1:123456789012:nowhere: .+/,
      hint: "Check the ARN: its name, account and region.",
    });
  });

  test("an endpoint that never answers is given up", async () => {
    const service = await startService(() => {});
    const timing = createTestTiming();
    const aws = { credentials, endpoints: { SNS: service.origin } };
    try {
      const asked = once(service.events, "request");
      const sent = openSnsChannel(`arn:aws:sns:${region}:${emulatedAccount}:done`, { aws, timing }).notify(
        aNotification(),
      );
      const refused = assert.rejects(sent, { message: /: there was no answer within 60 seconds$/ });
      await asked;
      timing.expire();
      await refused;
    } finally {
      await service.close();
    }
  });

  for (const [code, status, message, hint] of [
    ["AuthorizationError", 403, /access is denied/, /Allow sns:Publish on this topic/],
    ["ExpiredToken", 403, /credentials have expired/, /Sign in again/],
    ["InvalidClientTokenId", 403, /does not know these credentials/, /--profile/],
    ["InvalidParameter", 400, /said SNS/, /Correct/],
  ] as const) {
    test(`${code} becomes CHANNEL_FAILED with a hint, and is not tried again`, async () => {
      const service = await startService((_, response) => {
        const xml = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>said SNS</Message></Error></ErrorResponse>`;
        response.writeHead(status, { "content-type": "text/xml" }).end(xml);
      });
      try {
        const channel = openSnsChannel(`arn:aws:sns:${region}:${emulatedAccount}:done`, {
          aws: { credentials, endpoints: { SNS: service.origin } },
          timing: createTestTiming(),
        });
        await assert.rejects(channel.notify(aNotification()), { code: "CHANNEL_FAILED", message, hint });
        assert.equal(service.requests.length, 1);
        assert.match(
          service.requests[0]?.headers.authorization ?? "",
          /\/eu-west-1\/sns\//,
          "the ARN's region is taken",
        );
      } finally {
        await service.close();
      }
    });
  }
});

test("any text becomes a subject that SNS takes, as like as can be", () => {
  assert.equal(snsSubject("  Café\n№ 1\t — 🏠\u0007 "), "Cafe No 1 ? ?");
  assert.equal(snsSubject("\u0301 \n"), "Rowcall");
  assert.equal(snsSubject(`${"x".repeat(96)} y z and more`), `${"x".repeat(96)}...`);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      assert.match(snsSubject(text), /^[\x21-\x7e](?:[\x20-\x7e]{0,97}[\x21-\x7e])?$/);
    }),
  );
});
