import { RowcallError } from "../../core/errors.ts";
import type { Execution, ExecutionId, ExecutionJournal, NewEvent } from "../../runs/execution-journal.ts";
import { parseJson, replaceDigits, type JsonValue } from "../../core/json.ts";
import type { Clock } from "../../core/services.ts";
import { type StateMachines, failureOf } from "../state-machine.ts";

/** Starts, stops and remembers executions. */
export interface Executions extends Pick<ExecutionJournal, "firstOffered" | "find" | "findByRun" | "list" | "history"> {
  /** Starts an execution whose name is free in the machine. */
  start(request: ExecutionId & Pick<Execution, "input">): Execution;
  /** Ends an execution as ABORTED; one that has ended is shown as it is. */
  stop(id: ExecutionId, reason: Pick<Execution, "error" | "cause">): Execution;
  /** Goes on with an execution that has ended without success. */
  redrive(id: ExecutionId, token: string | undefined): Execution;
  /** Lets what is under way come to a point where it can be gone on with, and ends. Executions that are not done stay RUNNING. */
  close(): Promise<void>;
}

/** What executions stand on. */
export interface ExecutionsOptions {
  readonly machines: StateMachines;
  /** Closed with the executions. */
  readonly journal: ExecutionJournal;
  readonly clock: Clock;
}

/** Opens the executions of a journal, and goes on with those that are RUNNING. */
export function openExecutions(options: ExecutionsOptions): Executions {
  const executions = new RunningExecutions(options);
  executions.goOn();
  return executions;
}

interface UnderWay {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

class RunningExecutions implements Executions {
  readonly #machines: StateMachines;
  readonly #journal: ExecutionJournal;
  readonly #clock: Clock;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #drain = new AbortController();

  constructor({ machines, journal, clock }: ExecutionsOptions) {
    this.#machines = machines;
    this.#journal = journal;
    this.#clock = clock;
  }

  goOn(): void {
    for (const execution of this.#journal.list({ status: "RUNNING" }, Number.MAX_SAFE_INTEGER)) this.#run(execution);
  }

  firstOffered: Executions["firstOffered"] = (machine) => this.#journal.firstOffered(machine);
  find: Executions["find"] = (id) => this.#journal.find(id);
  findByRun: Executions["findByRun"] = (runId) => this.#journal.findByRun(runId);
  list: Executions["list"] = (filter, many, before) => this.#journal.list(filter, many, before);
  history: Executions["history"] = (id, first, many, beyond) => this.#journal.history(id, first, many, beyond);

  start(request: ExecutionId & Pick<Execution, "input">): Execution {
    this.#requireOpen();
    this.#journal.firstOffered(request.machine);
    const details = { input: request.input };
    const execution = this.#journal.create(request, { type: "ExecutionStarted", details, previous: 0 });
    this.#run(execution);
    return execution;
  }

  stop(id: ExecutionId, reason: Pick<Execution, "error" | "cause">): Execution {
    const execution = this.#journal.find(id);
    if (execution?.status !== "RUNNING") return this.#get(id);
    // Sync: what the machine tells of its own end comes before the end of all.
    this.#underWay.get(keyOf(id))?.stop.abort();
    return this.#end(id, "ABORTED", reason, { type: "ExecutionAborted", details: { ...reason }, previous: 0 });
  }

  redrive(id: ExecutionId, token: string | undefined): Execution {
    this.#requireOpen();
    const redrives = this.#get(id).redrives + 1;
    const cleared = { stoppedAt: undefined, output: undefined, error: undefined, cause: undefined };
    const execution = this.#journal.update(
      id,
      { ...cleared, status: "RUNNING", redrives, redrivenAt: this.#clock(), redriveToken: token },
      { type: "ExecutionRedriven", details: { redriveCount: redrives } },
    );
    this.#run(execution);
    return execution;
  }

  async close(): Promise<void> {
    this.#drain.abort();
    await Promise.all([...this.#underWay.values()].map(({ ended }) => ended));
    this.#journal.close();
  }

  #run(execution: Execution): void {
    const key = keyOf(execution);
    const stop = new AbortController();
    // What was stopped may still be finishing what it had begun.
    const before = this.#underWay.get(key)?.ended;
    const underWay: UnderWay = {
      stop,
      ended: Promise.resolve(before)
        .then(() => this.#runToEnd(execution, stop.signal))
        .finally(() => {
          if (this.#underWay.get(key) === underWay) this.#underWay.delete(key);
        }),
    };
    this.#underWay.set(key, underWay);
  }

  async #runToEnd(execution: Execution, stop: AbortSignal): Promise<void> {
    if (this.#drain.signal.aborted || stop.aborted) return;
    try {
      const output = JSON.stringify(await this.#work(execution, stop));
      this.#endRunning(execution, "SUCCEEDED", { output }, { type: "ExecutionSucceeded", details: { output } });
    } catch (thrown) {
      if (this.#drain.signal.aborted && thrown instanceof RowcallError && thrown.code === "INTERRUPTED") return;
      const failure = failureOf(thrown);
      this.#endRunning(execution, "FAILED", failure, { type: "ExecutionFailed", details: { ...failure } });
    }
  }

  async #work(execution: Execution, stop: AbortSignal): Promise<JsonValue> {
    const machine = await this.#machines.find(execution.machine);
    if (machine === undefined) {
      throw new RowcallError("AGENT_NOT_FOUND", `The state machine ${execution.machine} is not offered any more`, {
        hint: "Publish the agent again, or serve the --stage that it was started in; then redrive the execution.",
      });
    }
    return machine.run({
      execution,
      // Digits that no number holds reach the agent as text, for its schema to refuse.
      input: replaceDigits(parseJson(execution.input), String),
      history: this.#journal.history(execution, "oldest", Number.MAX_SAFE_INTEGER),
      stop,
      drain: this.#drain.signal,
      tell: (event) => (this.#isCurrent(execution) ? this.#journal.tell(execution, event) : undefined) ?? 0,
      noteRun: (runId) => void this.#journal.update(execution, { runId }),
    });
  }

  #endRunning(execution: Execution, status: Execution["status"], result: Result, event: NewEvent): void {
    if (this.#isCurrent(execution)) this.#end(execution, status, result, event);
  }

  // What was stopped has nothing to say any more, also when it has been redriven since.
  #isCurrent(execution: Execution): boolean {
    const now = this.#journal.find(execution);
    return now?.status === "RUNNING" && now.redrives === execution.redrives;
  }

  #end(id: ExecutionId, status: Execution["status"], result: Result, event: NewEvent): Execution {
    return this.#journal.update(id, { ...result, status, stoppedAt: this.#clock() }, event);
  }

  #get(id: ExecutionId): Execution {
    const found = this.#journal.find(id);
    if (found === undefined) throw new Error(`There is no execution ${keyOf(id)}`);
    return found;
  }

  #requireOpen(): void {
    if (this.#drain.signal.aborted) throw new RowcallError("INTERRUPTED", "The endpoint is closing");
  }
}

type Result = Pick<Execution, "output" | "error" | "cause">;

function keyOf({ machine, name }: ExecutionId): string {
  return `${machine}:${name}`;
}
