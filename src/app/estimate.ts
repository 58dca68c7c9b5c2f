/** What one row takes, and where the figures come from. */
export interface RowFigures {
  readonly secondsPerRow?: number;
  readonly costPerRowUsd?: number;
  /** Where they come from, in words. */
  readonly basis: string;
}

/** What a run is expected to take; what is absent is not known. */
export interface Estimate extends RowFigures {
  /** Rows that call the agent. */
  readonly rows: number;
  readonly concurrency: number;
  readonly seconds?: number;
  readonly costUsd?: number;
}

/** What earlier rows of an agent took, and what they answered. */
export interface EarlierRows {
  /** Mean over all attempts of a row, waits between them left out. */
  readonly secondsPerRow: number;
  /** How many rows were looked at. */
  readonly rows: number;
  /** Rows in whose answer a text would be a formula to a spreadsheet; absent when there is none. */
  readonly formulas?: { readonly rows: number; readonly field: string };
}

/** Seconds and price that one row may be known by; what is absent is not known. */
export interface FigureSources {
  /** Given for this plan. */
  readonly given?: { readonly secondsPerRow?: number; readonly costPerRowUsd?: number };
  /** The mean of earlier runs of the same agent. */
  readonly measured?: EarlierRows;
  /** The agent's own `estimate`. */
  readonly declared?: { readonly seconds_per_row?: number; readonly cost_per_row_usd?: number };
}

/** The figures of one row: given before measured before declared. */
export function chooseFigures({ given, measured, declared }: FigureSources): RowFigures {
  const seconds =
    given?.secondsPerRow !== undefined
      ? { value: given.secondsPerRow, from: "given" }
      : measured !== undefined
        ? {
            value: measured.secondsPerRow,
            from: measured.rows === 1 ? "one row, measured" : `the mean of ${measured.rows} earlier rows`,
          }
        : { value: declared?.seconds_per_row, from: "declared by the agent" };
  const cost =
    given?.costPerRowUsd !== undefined
      ? { value: given.costPerRowUsd, from: "given" }
      : { value: declared?.cost_per_row_usd, from: "declared by the agent" };
  const say = (value: number | undefined, text: string, from: string, option: string): string =>
    value === undefined
      ? `${option.replace("--", "").replaceAll("-", " ")} is not known: give ${option}`
      : `${text} per row (${from})`;
  return {
    ...(seconds.value === undefined ? {} : { secondsPerRow: seconds.value }),
    ...(cost.value === undefined ? {} : { costPerRowUsd: cost.value }),
    basis: [
      say(seconds.value, `${Number((seconds.value ?? 0).toPrecision(3))} s`, seconds.from, "--seconds-per-row"),
      say(cost.value, `$${cost.value ?? 0}`, cost.from, "--cost-per-row"),
    ].join("; "),
  };
}

/**
 * What a run takes when no row is tried twice: rows go in as many waves as concurrency allows, and each row has its price.
 *
 * @param rows - rows that call the agent
 */
export function estimateRun(rows: number, concurrency: number, figures: RowFigures): Estimate {
  const { secondsPerRow, costPerRowUsd } = figures;
  return {
    rows,
    concurrency,
    ...figures,
    ...(secondsPerRow === undefined ? {} : { seconds: secondsPerRow * Math.ceil(rows / concurrency) }),
    // Prices are decimal fractions: a thousand times 0.001 is 1, not 1.0000000000000002.
    ...(costPerRowUsd === undefined ? {} : { costUsd: Number((costPerRowUsd * rows).toFixed(6)) }),
  };
}

/**
 * The figures of the broadband agent's throughput table. A row takes 10-15 seconds; the middle of that makes the table come
 * out as it is known: `~15 seconds`, `~2 minutes`, `~20 minutes`.
 */
export const exampleFigures: Required<RowFigures> & { readonly rows: readonly number[]; readonly concurrency: number } =
  {
    rows: [10, 100, 1000],
    concurrency: 10,
    secondsPerRow: 12.5,
    costPerRowUsd: 0.001,
    basis: "the broadband agent: 10-15 seconds and $0.001 per row",
  };

/**
 * An expected duration in words, as exact as an estimate is: below a minute rounded up to 5 seconds, as the slowest row decides;
 * to a minute below ten, to 5 minutes below three hours, then to half hours.
 */
export function describeSeconds(seconds: number | undefined): string {
  if (seconds === undefined) return "unknown";
  const short = Math.ceil(seconds / 5) * 5;
  if (short < 60) return short === 0 ? "no time" : `~${short} seconds`;
  const exact = seconds / 60;
  const step = exact < 10 ? 1 : exact < 180 ? 5 : 30;
  const minutes = Math.max(1, Math.round(exact / step) * step);
  if (minutes < 60) return `~${plural(minutes, "minute")}`;
  const rest = minutes % 60;
  return `~${plural(Math.floor(minutes / 60), "hour")}${rest === 0 ? "" : ` ${plural(rest, "minute")}`}`;
}

/** An expected price in words: in cents, or with the first two digits that count when it is less. */
export function describeCost(usd: number | undefined): string {
  if (usd === undefined) return "unknown";
  return `$${usd > 0 && usd < 0.01 ? Number(usd.toPrecision(2)) : usd.toFixed(2)}`;
}

/** What a run is expected to take, in words: `~2 minutes, $0.10`. */
export function describeEstimate({ seconds, costUsd }: Pick<Estimate, "seconds" | "costUsd">): string {
  if (seconds === undefined && costUsd === undefined) return "duration and cost unknown";
  const duration = seconds === undefined ? "duration unknown" : describeSeconds(seconds);
  return `${duration}, ${costUsd === undefined ? "cost unknown" : describeCost(costUsd)}`;
}

function plural(many: number, noun: string): string {
  return `${many} ${noun}${many === 1 ? "" : "s"}`;
}
