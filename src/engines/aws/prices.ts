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

/** What a run comes to. Times and bytes are rounded to the worse; rows are those of the broadband agent. */
export const figures = {
  /**
   * States that are passed, each of which is paid for; a test counts them in executions of the definitions. A row's are the start of its
   * execution and its first attempt; the others come on top.
   */
  transitions: {
    run: 8,
    row: 2,
    retry: 3,
    failedRow: 2,
    /** Of a browser agent's own machine for each attempt, by how it ends. Workers name their errors themselves; a function's are caught. */
    agent: { succeeded: 2, failed: { fleet: 2, lambda: 3 } },
  },
  /** Events that are logged of an attempt that succeeds, which a test counts too: of the row's execution, and of the agent's. */
  eventsPerAttempt: { row: 8, agent: 9 },
  bytesPerEvent: 450,
  /** X-Ray takes one trace in twenty where there are many. */
  tracedShare: 0.05,
  /** Prepare and Finish, by `bench/prepare-finish.ts` with S3's way added. */
  startSeconds: 2,
  prepareRowsPerSecond: 100_000,
  finishRowsPerSecond: 12_000,
  /** On Finish's disk: the table and its journal. */
  diskBytesPerRow: 1050,
  /** As the deployment sets it; a function of the user's own is taken to have a gigabyte. */
  functionMb: { own: 3008, browser: 3008, lambda: 1024 },
  /** In S3. */
  bytesPerRow: { table: 35, index: 16, items: 120, results: 950, attempts: 850, output: 240 },
  /** S3 takes larger objects in parts, and the map writes its results in files of as much. */
  partBytes: 8_388_608,
  /** Whatever the table: the output's trial, the run's description and summary, a manifest, a list. */
  s3Writes: 5,
  /** The batch, the table twice, the items, what Prepare has left, a manifest, and whether there is an output already. */
  s3Reads: 9,
  /** An agent and a template, each with the list of its versions. */
  registryReads: 16,
  /** The broadband agent and its template, which a worker gets with each attempt. */
  broadbandTaskBytes: 14_000,
} as const;

/** What Step Functions, Lambda and S3 allow, as of 2026-01; what can be raised on request is meant as it is at first. */
export const quotas = {
  /** Children of one map at once. */
  mapChildren: 10_000,
  /** Children that one map starts in a second. */
  mapStartsPerSecond: 100,
  /** Items of one map. */
  mapItems: 100_000_000,
  /** Bytes of an input, an output, or a task's result. */
  payloadBytes: 262_144,
  /** Bytes of the object that a map reads its items from. */
  itemsBytes: 10_000_000_000,
  /** Seconds of an execution: a year. */
  executionSeconds: 31_536_000,
  /** Seconds of a call of a function. */
  functionSeconds: 900,
  /** Bytes of a function's disk. */
  functionDiskBytes: 10_000_000_000,
} as const;

/** What differs from region to region. */
export interface RegionQuotas {
  readonly transitionsPerSecond: number;
  readonly startExecutionsPerSecond: number;
  /** Answers of workers; signs of life are counted by themselves. */
  readonly taskCallsPerSecond: number;
}

const largeRegions: readonly string[] = ["us-east-1", "us-west-2", "eu-west-1"];

/** The rates of a region. */
export function regionQuotas(region: string): RegionQuotas {
  return largeRegions.includes(region)
    ? { transitionsPerSecond: 5000, startExecutionsPerSecond: 300, taskCallsPerSecond: 500 }
    : { transitionsPerSecond: 800, startExecutionsPerSecond: 150, taskCallsPerSecond: 300 };
}
