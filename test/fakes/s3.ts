import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startEmulators } from "../../src/cli/sandbox/emulators.ts";
import type { AwsSettings } from "../../src/aws/aws.ts";

/** Answers a request itself, or changes it and says false for it to be passed on. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

/** An emulated S3 with one bucket, seen through a proxy that watches. */
export interface TestS3 {
  readonly url: string;
  readonly aws: AwsSettings;
  /** Ids of multipart uploads that were neither completed nor given up. */
  readonly openUploads: ReadonlySet<string>;
  /** `GET /bucket/key` of each request so far. */
  readonly requests: string[];
  /** Set by a test that lets calls fail. */
  intercept: Intercept;
  createBucket(name: string): Promise<void>;
  close(): Promise<void>;
}

/** How a test reaches a server that speaks S3. */
export function awsAt(url: string): AwsSettings {
  return {
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    endpoints: { S3: url },
  };
}

/** Starts an S3 with the bucket `bucket`. */
export async function startTestS3(): Promise<TestS3> {
  const emulators = await startEmulators("eu-west-1");
  const openUploads = new Set<string>();
  const requests: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    if (test.intercept(incoming, outgoing)) return;
    const passed = request(`${emulators.url}${incoming.url}`, { method: incoming.method, headers: incoming.headers });
    passed.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
      if (answer.statusCode !== undefined && answer.statusCode < 300) noteUpload(incoming, answer, openUploads);
    });
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const aws = awsAt(url);
  const test: TestS3 = {
    url,
    aws,
    openUploads,
    requests,
    intercept: () => false,
    createBucket: async (Bucket) => {
      const client = new S3Client({ ...aws, endpoint: emulators.url, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket }));
      client.destroy();
    },
    close: async () => {
      proxy.closeAllConnections();
      await Promise.all([new Promise((resolve) => proxy.close(resolve)), emulators.close()]);
    },
  };
  await test.createBucket("bucket");
  return test;
}

function noteUpload(incoming: IncomingMessage, answer: IncomingMessage, openUploads: Set<string>): void {
  const query = new URL(incoming.url ?? "", "http://s3").searchParams;
  const ended = query.get("uploadId");
  if (ended !== null && (incoming.method === "POST" || incoming.method === "DELETE")) openUploads.delete(ended);
  if (incoming.method !== "POST" || !query.has("uploads")) return;
  let xml = "";
  answer.on("data", (chunk: Buffer) => (xml += chunk.toString("latin1")));
  answer.on("end", () => openUploads.add(/<UploadId>(.*?)<\/UploadId>/.exec(xml)?.[1] ?? ""));
}
