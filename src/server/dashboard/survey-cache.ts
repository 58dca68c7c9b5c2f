import type { Engine, RunSurvey } from "../../core/engine.ts";
import type { Clock } from "../../core/services.ts";
import { surveyOf } from "./engine-parts.ts";

/** Surveys of runs, not older than a page needs. */
export interface SurveyCache {
  of(id: string): Promise<RunSurvey>;
}

interface Kept {
  readonly survey: Promise<RunSurvey>;
  readonly askedAt: number;
  tookMs: number;
}

const shortestMs = 1000;
const keptRuns = 50;

/**
 * Keeps surveys for a second, and those that took long for twenty times as long, so that looking at a long run, in however many
 * browsers, costs it at most a twentieth of one processor.
 */
export function createSurveyCache(engine: Engine, clock: Clock): SurveyCache {
  const kept = new Map<string, Kept>();
  return {
    of: (id) => {
      const now = clock();
      const before = kept.get(id);
      if (before !== undefined && now - before.askedAt < Math.max(shortestMs, 20 * before.tookMs)) return before.survey;
      const entry: Kept = { survey: surveyOf(engine, id), askedAt: now, tookMs: Number.POSITIVE_INFINITY };
      entry.survey.then(
        () => (entry.tookMs = clock() - now),
        // What failed is asked for again.
        () => kept.delete(id),
      );
      kept.delete(id);
      kept.set(id, entry);
      for (const oldest of [...kept.keys()].slice(0, -keptRuns)) kept.delete(oldest);
      return entry.survey;
    },
  };
}
