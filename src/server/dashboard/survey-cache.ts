import type { Engine, RunSurvey } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import type { Monotonic } from "../../core/services.ts";

/** Surveys of runs, not older than a page needs. */
export interface SurveyCache {
  of(run: Run): Promise<RunSurvey>;
}

interface Kept {
  /** How the run stood; a survey of a run that has ended holds until the run goes on. */
  readonly standing: string;
  readonly survey: Promise<RunSurvey>;
  readonly askedAt: number;
  tookMs: number;
}

const shortestMs = 1000;
const keptRuns = 50;

/**
 * Keeps surveys of running runs for a second, and those that took long for twenty times as long, so that looking at a long run,
 * in however many browsers, costs it at most a twentieth of one processor.
 */
export function createSurveyCache(engine: Engine, monotonic: Monotonic): SurveyCache {
  const kept = new Map<string, Kept>();
  return {
    of: (run) => {
      const { id, status, endedAt, counts } = run;
      const isRunning = status === "running";
      const standing = isRunning ? status : JSON.stringify([status, endedAt, counts]);
      const now = monotonic();
      const before = kept.get(id);
      if (before?.standing === standing) {
        if (!isRunning || now - before.askedAt < Math.max(shortestMs, 20 * before.tookMs)) return before.survey;
      }
      const survey = engine.survey(id);
      const entry: Kept = { standing, survey, askedAt: now, tookMs: Number.POSITIVE_INFINITY };
      survey.then(
        () => (entry.tookMs = monotonic() - now),
        // What failed is asked for again.
        () => kept.delete(id),
      );
      kept.delete(id);
      kept.set(id, entry);
      for (const oldest of [...kept.keys()].slice(0, -keptRuns)) kept.delete(oldest);
      return survey;
    },
  };
}
