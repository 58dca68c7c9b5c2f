/** How often something may be done. */
export interface PaceLimit {
  readonly perSecond: number;
  /** How much may be done at once after a pause. */
  readonly burst: number;
}

/** A bucket of permissions that fills evenly, and more slowly for a while after the other side was too busy. */
export interface Pace {
  /** Whether there is a permission. */
  allows(now: number): boolean;
  /** Takes the permission there is. */
  take(): void;
  /** The other side was too busy: nothing for a second, then half as often. */
  slowDown(now: number): void;
  /** The other side answered: a little more often again, up to the limit. */
  speedUp(): void;
}

const slowest = 1 / 16;
const recovery = 1 / 50;

/** Makes a pace; times are of a clock that never jumps, in milliseconds. */
export function createPace({ perSecond, burst }: PaceLimit): Pace {
  let rate = perSecond;
  let permissions = burst;
  let filledAt: number | undefined;
  let slowedAt = Number.NEGATIVE_INFINITY;
  return {
    allows: (now) => {
      permissions = Math.min(burst, permissions + ((now - (filledAt ?? now)) / 1000) * rate);
      filledAt = now;
      return permissions >= 1;
    },
    take: () => {
      permissions -= 1;
    },
    slowDown: (now) => {
      // Calls that were under way together are refused together; that is one sign, not many.
      if (now - slowedAt < 1000) return;
      slowedAt = now;
      rate = Math.max(rate / 2, perSecond * slowest);
      permissions = Math.min(permissions, 1 - rate);
    },
    speedUp: () => {
      rate = Math.min(perSecond, rate + perSecond * recovery);
    },
  };
}
