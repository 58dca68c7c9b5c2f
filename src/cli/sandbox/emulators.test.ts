import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startEmulators, type Emulators } from "./emulators.ts";

describe("the emulated S3", () => {
  let emulators: Emulators;
  let s3: S3Client;
  before(async () => {
    emulators = await startEmulators("eu-west-1");
    s3 = new S3Client({
      endpoint: emulators.url,
      region: "eu-west-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    await s3.send(new CreateBucketCommand({ Bucket: "bucket" }));
  });
  after(async () => {
    s3.destroy();
    await emulators.close();
  });

  test("lets exactly one of many writers have a key that must be new", async () => {
    const write = (n: number): Promise<unknown> =>
      s3.send(new PutObjectCommand({ Bucket: "bucket", Key: "a b", Body: `writer ${n}`, IfNoneMatch: "*" }));
    const settled = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => write(n)));
    const winners = settled.flatMap(({ status }, n) => (status === "fulfilled" ? [n] : []));
    assert.equal(winners.length, 1);
    for (const result of settled)
      if (result.status === "rejected") assert.equal((result.reason as Error).name, "PreconditionFailed");
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "bucket", Key: "a b" }));
    assert.equal(await Body?.transformToString(), `writer ${winners[0]}`);
  });
});

test("emulators answer nobody who does not have the key: other users of the machine can connect too", async () => {
  const emulators = await startEmulators("eu-west-1", "RCAKSECRET");
  try {
    const ask = (url: string, headers: Record<string, string>): Promise<Response> => fetch(url, { headers });
    const named = (key: string): Record<string, string> => ({
      authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0`,
    });
    for (const url of [emulators.url, emulators.dynamodbUrl])
      for (const headers of [{}, named("sandbox"), named("RCAKSECRETX"), named("rcaksecret")])
        assert.equal((await ask(url, headers)).status, 403, url);
    assert.equal((await ask(emulators.url, named("RCAKSECRET"))).status, 200);
    assert.equal((await ask(`${emulators.url}/?X-Amz-Credential=RCAKSECRET%2F20260101`, {})).status, 200);
  } finally {
    await emulators.close();
  }
});
