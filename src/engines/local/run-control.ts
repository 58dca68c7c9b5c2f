import type { RunLimits, RunObserver } from "../../core/engine.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { stoppedOnRequest } from "../../core/run.ts";
import type { OpenRun } from "../../runs/open-run.ts";
import { limitsOf, toleranceReason } from "../../runs/run-limits.ts";

/** Why no new row starts any more. */
export interface Ending {
  readonly status: "finished" | "interrupted" | "stopped";
  readonly reason?: string;
}

/** Who may say something about a run while its rows go. */
export interface ControlSetup {
  readonly open: OpenRun;
  readonly observer: RunObserver;
  /** Tells by `change` that this process has changed what is asked of the run; what others ask is looked for now and then. */
  readonly limitsChanged: EventTarget;
}

const pollMs = 500;

/** What holds for a run's rows now, and whether new ones start. */
export class RunControl {
  /** Tells by `change` that other limits may hold. */
  readonly changed: EventTarget = new EventTarget();
  readonly #setup: ControlSetup;
  readonly #drain = new AbortController();
  #limits: RunLimits;
  #ending: Ending = { status: "finished" };
  #failure: RowcallError | undefined;
  // Counted since the run was started or resumed, so that a resumed run gets as far as a new one would.
  #failed = 0;
  #poll: NodeJS.Timeout | undefined;

  constructor(setup: ControlSetup) {
    this.#setup = setup;
    // Read anew: somebody may have asked while the run was made ready.
    this.#limits = this.#requested().limits;
  }

  /** As they hold now. */
  get limits(): RunLimits {
    return this.#limits;
  }

  /** Aborted when no new row starts any more. */
  get drain(): AbortSignal {
    return this.#drain.signal;
  }

  /** Listens to everybody who may say something, until closed. */
  listen(): void {
    const { observer, limitsChanged } = this.#setup;
    this.#poll = setInterval(this.#apply, pollMs);
    limitsChanged.addEventListener("change", this.#apply);
    observer.drain?.addEventListener("abort", this.#interrupt, { once: true });
    if (observer.drain?.aborted === true) this.#interrupt();
  }

  /** Counts rows that failed against what is tolerated. */
  countFailed(rows: number): void {
    this.#failed += rows;
    this.#requireTolerable();
  }

  /** Ends the run because its journal cannot be written. */
  readonly fail = (error: unknown): void => {
    const { id } = this.#setup.open.run;
    this.#failure = new RowcallError("JOURNAL_UNREADABLE", `The journal cannot be written: ${messageOf(error)}`, {
      hint: `Free space on the disk of the data directory, then go on: rowcall resume ${id}`,
      cause: error,
    });
    this.#end({ status: "interrupted", reason: "The journal cannot be written" });
  };

  /**
   * Why no new row starts; `finished` when nobody has ended the run.
   *
   * @throws RowcallError when its journal could not be written
   */
  conclude(): Ending {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#ending;
  }

  close(): void {
    const { observer, limitsChanged } = this.#setup;
    clearInterval(this.#poll);
    limitsChanged.removeEventListener("change", this.#apply);
    observer.drain?.removeEventListener("abort", this.#interrupt);
  }

  #requested(): { readonly limits: RunLimits; readonly stopRequested: boolean } {
    const { journal, run } = this.#setup.open;
    const { limits, stopRequested } = journal.requested(run.seq);
    return { limits: limitsOf({ batch: run.batch, limits }), stopRequested };
  }

  readonly #apply = (): void => {
    try {
      const { limits, stopRequested } = this.#requested();
      this.#limits = limits;
      if (stopRequested) this.#end({ status: "stopped", reason: stoppedOnRequest });
      this.#requireTolerable();
      this.changed.dispatchEvent(new Event("change"));
    } catch (error) {
      // Called by a timer: nobody else hears of it.
      this.fail(error);
    }
  };

  readonly #interrupt = (): void => this.#end({ status: "interrupted", reason: "Interrupted" });

  #requireTolerable(): void {
    const reason = toleranceReason(this.#limits, this.#failed, this.#setup.open.run.total);
    if (reason !== undefined) this.#end({ status: "stopped", reason });
  }

  #end(ending: Ending): void {
    if (this.#drain.signal.aborted) return;
    this.#ending = ending;
    const { journal, run } = this.#setup.open;
    try {
      // A process that dies from here on was asked to, and no row is suspected of it.
      journal.updateRun(run.id, { reason: ending.reason ?? null });
    } catch {
      // The run ends because of its journal, or is about to notice.
    }
    this.#drain.abort();
  }
}
