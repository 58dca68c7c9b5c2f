/** What AWS asks for in eu-west-1, in US dollars; us-east-1 and us-west-2 ask the same or a little less. Free tiers are left out. */
export const prices = {
  /** Where and when these are the prices. */
  valid: {
    region: "eu-west-1",
    date: "2026-01",
    source: "the price pages of Step Functions, Lambda, S3, DynamoDB, SNS, CloudWatch, X-Ray and EC2 (data transfer)",
  },
  /** A transition of a standard state machine. */
  transition: 0.000_025,
  /** A call of a function. */
  functionCall: 0.000_000_2,
  /** A second of a function with a gigabyte. */
  gigabyteSecond: { arm: 0.0000133334, x86: 0.0000166667 },
  /** PUT, COPY, POST and LIST. */
  s3Write: 0.000_005,
  /** GET and HEAD. */
  s3Read: 0.000_000_4,
  /** Reading 4 KB of a table on demand. */
  dynamodbRead: 0.000_000_1415,
  /** A message to a topic; what its delivery costs is the subscriber's matter. */
  snsPublish: 0.000_000_5,
  /** A gigabyte of logs taken in. */
  logGigabyte: 0.57,
  /** A trace that is recorded. */
  trace: 0.000_005,
  /** A gigabyte to the internet; within the region nothing. */
  outGigabyte: 0.09,
} as const;
