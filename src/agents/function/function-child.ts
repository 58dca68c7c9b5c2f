import { fork, type ChildProcess } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { AgentInput, InvokeContext } from "../../core/agent.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { parseJson, type JsonValue } from "../../core/json.ts";
import { endGroup, hasExited, howEnded, killGroup } from "../process-group.ts";
import { type FromChild, type ToChild, receiveError, sendError } from "./child-messages.ts";
import type { FunctionAddress } from "./load-function.ts";

/** A function in a process of its own. */
export interface FunctionChild {
  /**
   * Settles when the function is loaded.
   *
   * @throws RowcallError AGENT_INVALID; AGENT_CRASHED when the process ends before
   */
  readonly loaded: Promise<void>;
  /** Returns whether it can make another attempt. */
  isAlive(): boolean;
  /** Calls the function; one call at a time. A call that does not let go of an aborted signal in time ends with its process. */
  invoke(input: AgentInput, context: InvokeContext): Promise<JsonValue>;
  /** Ends the process and whatever it has started. */
  close(): Promise<void>;
}

// The compiled package has the same file with the other ending.
const main = fileURLToPath(new URL(`./child-main${import.meta.url.slice(-3)}`, import.meta.url));
// Less than an attempt may take to let go, so that its place is free when it has ended.
const letGoMs = 1000;
const closeMs = 1000;
const drainMs = 1000;
const outOfMemory = "<--- Last few GCs --->";
// Begin what V8 says at length when it dies, with a stack of its own.
const lastWords = [outOfMemory, "----- Native stack trace -----"];

interface Call {
  readonly id: number;
  readonly context: InvokeContext;
  resolve(reply: JsonValue): void;
  reject(error: Error): void;
}

/**
 * Starts a process for a function. It leads a group of its own, so Ctrl-C does not reach it, and it ends with this process.
 *
 * @param memoryMb - limit of its JavaScript heap
 */
export function startChild(address: FunctionAddress, memoryMb?: number): FunctionChild {
  const child = fork(main, [], {
    serialization: "advanced",
    detached: true,
    execArgv: memoryMb === undefined ? [] : [`--max-old-space-size=${memoryMb}`],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const loading = Promise.withResolvers<void>();
  // Whoever started it may have closed it before it was asked for.
  loading.promise.catch(() => {});
  let isOver = false;
  let calls = 0;
  let call: Call | undefined;
  let ranOutOfMemory = false;
  let isDying = false;

  const tell = (message: ToChild): void => {
    // One that has ended is told of by its exit.
    if (child.connected) child.send(message, () => {});
  };
  const take = (id: number): Call | undefined => {
    if (call?.id !== id) return undefined;
    const taken = call;
    call = undefined;
    return taken;
  };
  const onEnd = (why: string): void => {
    if (isOver) return;
    isOver = true;
    killGroup(child.pid);
    const error = ranOutOfMemory ? outOfMemoryError(memoryMb) : crashed(why);
    loading.reject(error);
    take(calls)?.reject(error);
  };
  child.on("message", (message: FromChild) => {
    if (message.type === "loaded") loading.resolve();
    else if (message.type === "unloadable") loading.reject(receiveError(message.error));
    else if (message.type === "answered") answer(take(message.id), message.reply);
    else if (message.type === "failed") take(message.id)?.reject(receiveError(message.error));
    else if (call?.id !== message.id) return;
    else if (message.type === "step") call.context.artifacts.step(message.record);
    else void save(call.context, message).then(tell);
  });
  child.on("error", (error) => onEnd(`could not be started: ${messageOf(error)}`));
  child.on("exit", (code, signal) => {
    const why = howEnded(code, signal) ?? "ended";
    // What it told before is still on its way, unless somebody it started keeps its pipes open.
    killGroup(child.pid);
    const timer = setTimeout(() => onEnd(why), drainMs);
    child.once("close", () => {
      clearTimeout(timer);
      onEnd(why);
    });
  });
  for (const output of [child.stdout, child.stderr]) {
    output?.on("data", (chunk: Buffer) => {
      const text = chunk.toString("latin1");
      ranOutOfMemory ||= text.includes(outOfMemory);
      isDying ||= lastWords.some((words) => text.includes(words));
      if (!isDying) process.stderr.write(chunk);
    });
  }
  tell({ type: "load", address });

  return {
    loaded: loading.promise,
    isAlive: () => !isOver && !hasExited(child),
    invoke: async (input, context) => {
      const { signal, runId, row, attempt } = context;
      if (isOver) throw crashed("had ended");
      signal.throwIfAborted();
      calls += 1;
      const id = calls;
      const { promise, resolve, reject } = Promise.withResolvers<JsonValue>();
      call = { id, context, resolve, reject };
      let timer: NodeJS.Timeout | undefined;
      const onAbort = (): void => {
        tell({ type: "abort", id, reason: sendError(signal.reason) });
        timer = setTimeout(() => {
          take(id)?.reject(signal.reason as Error);
          isOver = true;
          killGroup(child.pid);
        }, letGoMs);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      tell({ type: "invoke", id, input: JSON.stringify(input), runId, row, attempt });
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      }
    },
    close: async () => {
      isOver = true;
      const closed = crashed("was closed");
      loading.reject(closed);
      take(calls)?.reject(closed);
      await endGroup(child, () => disconnect(child), closeMs);
    },
  };
}

function disconnect(child: ChildProcess): void {
  if (child.connected) child.disconnect();
}

function answer(call: Call | undefined, reply: string | undefined): void {
  // As a function in this process that returns nothing; extraction says what is missing.
  call?.resolve(reply === undefined ? (undefined as unknown as JsonValue) : parseJson(reply));
}

async function save(
  { artifacts }: InvokeContext,
  { save: id, name, content, contentType }: Extract<FromChild, { readonly type: "save" }>,
): Promise<ToChild> {
  try {
    return { type: "saved", save: id, uri: await artifacts.save(name, content, contentType) };
  } catch (thrown) {
    return { type: "unsaved", save: id, error: sendError(thrown) };
  }
}

function crashed(why: string): RowcallError {
  return new RowcallError("AGENT_CRASHED", `The agent's process ${why}`, {
    hint: "Another process makes the next attempt. Look at what the agent does with this row.",
  });
}

function outOfMemoryError(memoryMb: number | undefined): RowcallError {
  const limit = memoryMb === undefined ? "" : ` of ${memoryMb} MB`;
  return new RowcallError("AGENT_CRASHED", `The agent's process ran out of its memory${limit}`, {
    hint: "Raise config.memory_mb, or look at what the agent keeps in memory.",
  });
}
