/** How many items of a Map Run may fail; what is undefined was not set. */
export interface Tolerance {
  readonly count: number | undefined;
  /** 0 to 100. */
  readonly percentage: number | undefined;
}

/**
 * Whether more items have failed than the state tolerates: either limit is enough, and with none no item may fail.
 *
 * @param total - all items of the run
 */
export function exceeds({ count, percentage }: Tolerance, failed: number, total: number): boolean {
  if (count === undefined && percentage === undefined) return failed > 0;
  if (count !== undefined && failed > count) return true;
  // 100 * failed / total may miss a limit such as 28 of 100 by a rounding error, the product does not.
  return percentage !== undefined && failed * 100 > percentage * total;
}
