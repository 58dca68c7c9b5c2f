import type { AgentInput } from "../../core/agent.ts";
import type { Attempt } from "../../core/attempt.ts";
import type { RunObserver } from "../../core/engine.ts";
import type { RunRecord } from "../../runs/journal.ts";
import type { Task } from "./scheduler.ts";

/** An agent ready for the rows of a run: here, or at the workers that fetch them. */
export interface Dispatcher {
  /** Whether attempts go on when this process ends: a resumed run makes them again under their old number, and gets what became of them. */
  readonly outlivesProcess: boolean;
  /** Host that a row goes to, for rate limits per host. */
  targetHost(input: AgentInput): string | undefined;
  /** Makes ready for the rows of one run; who begins closes what is returned. */
  begin(setup: DispatchSetup): Attempts;
  /** Lets go of the agent; safe to call twice. */
  close(): Promise<void>;
}

/** What making the attempts of one run takes. */
export interface DispatchSetup {
  readonly run: RunRecord;
  readonly observer: RunObserver;
  /** Aborted when no new row starts any more: what nobody has begun is taken back, from then on. */
  readonly drain: AbortSignal;
  /** Told when no attempt can be made any more. */
  onFailure(error: unknown): void;
}

/**
 * Told when an attempt really begins; again when it begins anew.
 *
 * @param at - milliseconds since 1970, UTC
 * @returns undefined, or a promise to wait for before an agent in this process is called
 */
export type OnBegin = (at: number) => Promise<void> | undefined;

/** The attempts of one run. */
export interface Attempts {
  /** Makes an attempt; never rejects. One that was taken back ends as INTERRUPTED and counts for nothing. */
  attempt(task: Task, onBegin: OnBegin): Promise<Attempt>;
  /** Told that more attempts will be in flight at once than was said before. */
  widen(concurrency: number): void;
  /** Keeps back what nobody has begun while true; no attempt is asked for meanwhile. */
  hold(isHeld: boolean): void;
  /** Told which attempts are in the journal. */
  committed(attempts: readonly Attempt[]): void;
  /** @param isFinished - whether no row of the run is pending any more */
  close(isFinished: boolean): void;
}
