import type { S3 } from "@aws-sdk/client-s3";
import { awsClientConfig, type AwsSettings } from "../aws/aws.ts";

/** Gives the one client of a store. */
export type S3Client = () => Promise<S3>;

// A connection that stands but carries nothing would hold a run for ever: the SDK has no limits of its own.
const timeouts = { connectionTimeout: 10_000, socketTimeout: 60_000 };

/**
 * A client of S3 that is made when it is first asked for. It needs no closing: sockets that wait for the next call do not keep
 * a process from ending.
 */
export function createS3Client(settings: AwsSettings): S3Client {
  let client: Promise<S3> | undefined;
  return () => (client ??= openClient(settings));
}

async function openClient(settings: AwsSettings): Promise<S3> {
  const { S3 } = await import("@aws-sdk/client-s3");
  const config = awsClientConfig(settings, "S3");
  return new S3({
    ...config,
    // Other stores than AWS's have no host name for each bucket.
    forcePathStyle: config.endpoint !== undefined,
    followRegionRedirects: true,
    requestHandler: timeouts,
  });
}
