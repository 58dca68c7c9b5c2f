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
