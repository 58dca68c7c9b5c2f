import { kinds, type SceneResult } from "./kinds.ts";
import { createRandom } from "./random.ts";

/** What is asked of a kill loop. */
export interface ChaosOptions {
  readonly kills: number;
  readonly seed: number;
  /** Names of kinds. @default all */
  readonly only?: readonly string[];
  /** Told after each scene. */
  readonly onScene?: (kind: string, kills: number) => void;
}

/** What came of the kills of one kind. */
export interface KindSummary {
  readonly kind: string;
  readonly kills: number;
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  readonly again: number;
  /** Calls that a kill made vain: the median of all kills, and the most. */
  readonly surplusMedian: number;
  readonly surplusMost: number;
  /** Kills that made more calls vain than twice as many as ran at once. */
  readonly overBound: number;
  readonly faults: readonly string[];
}

const killsOfScene = 8;

/** Kills processes of Rowcall at moments of all kinds, and counts what that did to rows and calls. */
export async function runChaos({ kills, seed, only, onScene }: ChaosOptions): Promise<readonly KindSummary[]> {
  const names = only ?? Object.keys(kinds);
  const summaries: KindSummary[] = [];
  for (const [index, name] of names.entries()) {
    const share = Math.floor(kills / names.length) + (index < kills % names.length ? 1 : 0);
    const random = createRandom(seed + index * 1000);
    const results: SceneResult[] = [];
    let done = 0;
    // A moment can be missed: the process ended first. That is no kill, and not for ever.
    for (let scenes = 0; done < share && scenes < share + 5; scenes += 1) {
      const result = await kinds[name]!(Math.min(killsOfScene, share - done), random);
      results.push(result);
      done += result.lives.filter(({ killed }) => killed).length;
      onScene?.(name, done);
    }
    summaries.push(summarize(name, results));
  }
  return summaries;
}

function summarize(kind: string, results: readonly SceneResult[]): KindSummary {
  const lives = results.flatMap((result) => result.lives);
  const killed = lives.filter((life) => life.killed);
  const surplus = killed.map((life) => life.surplus).toSorted((a, b) => a - b);
  const sum = (of: (result: SceneResult) => number): number => results.reduce((total, one) => total + of(one), 0);
  return {
    kind,
    kills: killed.length,
    rows: sum(({ rows }) => rows),
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
    disordered: sum(({ disordered }) => disordered),
    again: lives.reduce((total, { again }) => total + again, 0),
    surplusMedian: surplus[Math.floor(surplus.length / 2)] ?? 0,
    surplusMost: surplus.at(-1) ?? 0,
    overBound: killed.filter(({ surplus: calls, concurrency }) => calls > 2 * concurrency).length,
    faults: results.flatMap(({ faults }) => faults),
  };
}

/** Whether a kind kept every promise. */
export function isFaultless({ lost, doubled, disordered, again, overBound, faults }: KindSummary): boolean {
  return lost + doubled + disordered + again + overBound + faults.length === 0;
}
