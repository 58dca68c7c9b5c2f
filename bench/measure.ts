import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** What one process took. */
export interface Measurement {
  readonly seconds: number;
  /** Processor time, user and system, in seconds. */
  readonly cpuSeconds: number;
  /** Largest resident set in MB. */
  readonly peakMb: number;
}

const probe = new URL("./probe.ts", import.meta.url).href;

/**
 * Runs a script in a Node process of its own and measures it from start to end.
 *
 * @param scratch - folder for the measurement's file
 * @param okCodes - exit codes that count as success
 */
export async function measureProcess(
  scratch: string,
  script: string,
  args: readonly string[],
  okCodes: readonly number[] = [0],
): Promise<Measurement> {
  const report = join(scratch, "measurement.json");
  const startedAt = performance.now();
  const child = spawn(process.execPath, ["--import", probe, script, ...args], {
    env: { ...process.env, MEASUREMENT_FILE: report },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = (await once(child, "close")) as [number | null];
  const seconds = (performance.now() - startedAt) / 1000;
  if (code === null || !okCodes.includes(code)) throw new Error(`${script} ended with ${code}`);
  const { cpuSeconds, peakMb } = JSON.parse(await readFile(report, "utf8")) as Omit<Measurement, "seconds">;
  await rm(report);
  return { seconds, cpuSeconds, peakMb };
}

/** The middle one of several measurements, by time. */
export function medianMeasurement(measurements: readonly Measurement[]): Measurement {
  return middle(measurements.toSorted((a, b) => a.seconds - b.seconds));
}

/** The middle one of several numbers. */
export function median(numbers: readonly number[]): number {
  return middle(numbers.toSorted((a, b) => a - b));
}

function middle<T>(sorted: readonly T[]): T {
  const found = sorted[Math.floor(sorted.length / 2)];
  if (found === undefined) throw new Error("There is nothing to take the median of");
  return found;
}
