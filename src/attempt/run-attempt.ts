import {
  type Outcome,
  failedOutcome,
  outcomeOf,
  type Artifact,
  type Attempt,
  type FailedOutcome,
} from "../core/attempt.ts";
import type { JsonObject } from "../core/json.ts";
import { noMask, type Mask, maskContent } from "../core/mask.ts";
import type { AgentInput, Artifacts, InvokeContext, Invoker } from "../core/agent.ts";
import { requirePlainName, writeUnderFreeName } from "./artifact-name.ts";
import { messageOf, RowcallError, type Warning } from "../core/errors.ts";
import type { Clock, Monotonic } from "../core/services.ts";
import { enterFlight, inAgentScope, leaveFlight, type AgentScope } from "./agent-scope.ts";
import type { ExtractOutput } from "./extract.ts";
import { createStepList, type StepList } from "./step-list.ts";

/** An outcome without an agent's secrets; the same one when it holds none. */
function maskOutcome(mask: Mask, outcome: Outcome): Outcome {
  if (mask === noMask) return outcome;
  if (outcome.status === "succeeded") {
    const output = mask.value(outcome.output) as JsonObject;
    return output === outcome.output ? outcome : { status: "succeeded", output };
  }
  const { message, hint } = outcome;
  return { ...outcome, message: mask.text(message), ...(hint === undefined ? {} : { hint: mask.text(hint) }) };
}

/** What an attempt needs besides the row's input. */
export interface AttemptSetup {
  readonly invoker: Invoker;
  readonly extract: ExtractOutput;
  readonly runId: string;
  /** Limit of the attempt in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when the run is killed: the attempt ends as INTERRUPTED. */
  readonly signal?: AbortSignal;
  /** For when it began. */
  readonly clock: Clock;
  /** For how long it took. */
  readonly monotonic: Monotonic;
  /** Keeps one file of an attempt and returns its URI; fails with OUTPUT_EXISTS rather than replace one. */
  saveArtifact(row: number, attempt: number, name: string, content: Uint8Array, contentType: string): Promise<string>;
  /** Told of what the agent's code does after its attempt is over. @default the process tells it */
  warn?(message: string, hint: string): void;
}

// How long an agent may take to let go, and to keep a last screenshot, once its time is up.
const graceMs = 2000;

const uncaughtHint =
  "Nothing in the agent catches it: look for a promise without await, a callback that throws, or an error event without a listener.";
const answerMasked = {
  name: "mask the answer",
  status: "done",
  durationMs: 0,
  detail: "The answer held a secret of the agent: *** is in its place",
} as const;

const exitHint = "An agent must not end the process that runs the other rows: throw an error instead.";

/**
 * Runs the agent once for one row. It never throws: whatever goes wrong is the attempt's outcome.
 * When time is up the signal is aborted; an agent that has not returned two seconds later is left behind.
 *
 * @param row - 0-based index
 * @param number - 1-based number of the attempt
 */
export function runAttempt(setup: AttemptSetup, input: AgentInput, row: number, number: number): Promise<Attempt> {
  return new Promise((resolve) => new RunningAttempt(setup, row, number, resolve).run(input));
}

// One object an attempt, its signal, steps and artifacts made when asked for: a run has millions of these, and agents that
// answer at once ask for neither.
class RunningAttempt implements InvokeContext, AgentScope {
  readonly row: number;
  readonly attempt: number;
  readonly #setup: AttemptSetup;
  readonly #resolve: (attempt: Attempt) => void;
  readonly #startedAt: number;
  readonly #begunAt: number;
  #steps: StepList | undefined;
  readonly #kept: Artifact[] = [];
  #timer: NodeJS.Timeout | undefined;
  #aborter: AbortController | undefined;
  #cut: { readonly outcome: FailedOutcome; readonly at: number } | undefined;
  #onKilled: (() => void) | undefined;
  #place: number | undefined;
  #isOver = false;

  constructor(setup: AttemptSetup, row: number, number: number, resolve: (attempt: Attempt) => void) {
    this.#setup = setup;
    this.row = row;
    this.attempt = number;
    this.#resolve = resolve;
    this.#startedAt = setup.clock();
    this.#begunAt = setup.monotonic();
  }

  get runId(): string {
    return this.#setup.runId;
  }

  get #mask(): Mask {
    return this.#setup.invoker.mask ?? noMask;
  }

  get signal(): AbortSignal {
    this.#aborter ??= new AbortController();
    if (this.#cut !== undefined) this.#abort(this.#cut.outcome);
    return this.#aborter.signal;
  }

  get artifacts(): Artifacts {
    return {
      step: (record) => {
        if (!this.#isOver) this.#noteStep(record);
      },
      save: async (name, content, contentType) => {
        requireText(name, "name");
        requireText(contentType, "contentType");
        requirePlainName(name);
        const bytes = maskContent(this.#mask, content, contentType);
        const { row, attempt } = this;
        const { name: kept, written: uri } = await writeUnderFreeName(name, (free) =>
          this.#setup.saveArtifact(row, attempt, free, bytes, contentType),
        );
        if (!this.#isOver) this.#kept.push({ name: kept, uri, contentType });
        return uri;
      },
    };
  }

  run(input: AgentInput): void {
    const { invoker, extract, timeoutMs, signal: killed } = this.#setup;
    if (killed?.aborted === true) return this.#settle(interrupted());
    // setTimeout counts in 32 bits; a longer limit is no limit.
    if (timeoutMs < 2 ** 31) this.#timer = setTimeout(() => this.#cutShort(timedOut(timeoutMs)), timeoutMs);
    if (killed !== undefined) {
      this.#onKilled = () => this.#cutShort(interrupted());
      killed.addEventListener("abort", this.#onKilled, { once: true });
    }
    this.#place = enterFlight(this);
    try {
      inAgentScope(this, () => invoker.invoke(input, this))
        .then(extract)
        .then(
          (outcome) => this.#settle(outcome),
          (thrown) => this.#settle(failureOf(thrown)),
        );
    } catch (thrown) {
      this.#settle(failureOf(thrown));
    }
  }

  #noteStep(record: unknown): void {
    (this.#steps ??= createStepList(this.#mask)).add(record);
  }

  takeError(thrown: unknown): Warning | undefined {
    const what = this.#mask.text(messageOf(thrown)) || "an error without a message";
    if (!this.#isOver) {
      this.#cutShort(failedOutcome("AGENT_FAILED", what, { hint: uncaughtHint }));
      return undefined;
    }
    // What breaks because the attempt was cut short needs no telling.
    if (this.#cut !== undefined) return undefined;
    return this.#warn(`The agent of row ${this.row} failed after its attempt was over: ${what}`, uncaughtHint);
  }

  takeExit(call: string): Warning | undefined {
    if (!this.#isOver) {
      this.#cutShort(failedOutcome("AGENT_CRASHED", `The agent called ${call}`, { hint: exitHint }));
      return undefined;
    }
    return this.#warn(`The agent of row ${this.row} called ${call} after its attempt was over`, exitHint);
  }

  #warn(message: string, hint: string): Warning | undefined {
    if (this.#setup.warn === undefined) return { message, hint };
    this.#setup.warn(message, hint);
    return undefined;
  }

  // The clock may have been set meanwhile: what is told is how long the attempt took.
  #now(): number {
    return this.#startedAt + Math.round(this.#setup.monotonic() - this.#begunAt);
  }

  #cutShort(outcome: FailedOutcome): void {
    // Time that was up before the run was killed stays up.
    if (this.#cut !== undefined) return;
    clearTimeout(this.#timer);
    this.#cut = { outcome, at: this.#now() };
    this.#timer = setTimeout(() => this.#settle(outcome), graceMs);
    this.#abort(outcome);
  }

  #abort({ code, message }: FailedOutcome): void {
    // In the agent's scope, for its listeners are the agent's code.
    inAgentScope(this, () => this.#aborter?.abort(new RowcallError(code, message)));
  }

  // Called by the agent's answer, by the end of the grace, or by both: the first one counts.
  #settle(answer: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#place !== undefined) leaveFlight(this.#place);
    clearTimeout(this.#timer);
    if (this.#onKilled !== undefined) this.#setup.signal?.removeEventListener("abort", this.#onKilled);
    const { outcome: bare, at: endedAt } = this.#cut ?? { outcome: answer, at: this.#now() };
    const outcome = maskOutcome(this.#mask, bare);
    if (outcome !== bare && outcome.status === "succeeded") this.#noteStep(answerMasked);
    const { row, attempt: number } = this;
    this.#resolve({
      row,
      number,
      startedAt: this.#startedAt,
      endedAt,
      outcome,
      steps: this.#steps?.records() ?? [],
      artifacts: this.#kept,
    });
  }
}

// An agent may not say that it was interrupted: the run does, and such an attempt counts for nothing.
function failureOf(thrown: unknown): FailedOutcome {
  const outcome = outcomeOf(thrown);
  return outcome.code === "INTERRUPTED" ? failedOutcome("AGENT_FAILED", outcome.message, outcome) : outcome;
}

function requireText(value: unknown, name: string): void {
  if (typeof value === "string" && value !== "") return;
  throw new RowcallError("AGENT_FAILED", `artifacts.save was called with a ${name} that is no text`, {
    hint: 'It takes a name, the bytes and a content type: save("page.html", bytes, "text/html").',
  });
}

function interrupted(): FailedOutcome {
  return failedOutcome("INTERRUPTED", "The run was interrupted");
}

function timedOut(timeoutMs: number): FailedOutcome {
  const hint = `The attempt took longer than ${timeoutMs / 1000} s. Raise execution_config.timeout_seconds, or look at the recording.`;
  return failedOutcome("TIMEOUT", "Execution timeout", { hint });
}
