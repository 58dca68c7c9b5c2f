// The process of a function agent with `isolation: process`: it loads one function and makes one attempt at a time.
import { AsyncLocalStorage } from "node:async_hooks";
import process from "node:process";
import { Worker } from "node:worker_threads";
import type { InvokeContext } from "../../core/agent.ts";
import { admit } from "../../core/admit.ts";
import { messageOf } from "../../core/errors.ts";
import { parseJson, type JsonObject } from "../../core/json.ts";
import type { FromChild, ToChild } from "./child-messages.ts";
import { loadFunction, type AgentFunction } from "./load-function.ts";
import { receiveError, sendError } from "./child-messages.ts";

type Invocation = Extract<ToChild, { readonly type: "invoke" }>;

/** An attempt in flight. */
interface Flight {
  readonly call: Invocation;
  readonly aborter: AbortController;
}

let call: AgentFunction | undefined;
let current: Flight | undefined;
let saves = 0;
const saving = new Map<number, PromiseWithResolvers<string>>();
const flights = new AsyncLocalStorage<Flight>();

function tell(message: FromChild): void {
  // Nobody is there to be told when the run's process has ended; this one ends then too.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

process.on("message", (message: ToChild) => {
  if (message.type === "load") void load(message.address);
  else if (message.type === "invoke") void invoke(message);
  else if (message.type === "saved") settle(message.save)?.resolve(message.uri);
  else if (message.type === "unsaved") settle(message.save)?.reject(receiveError(message.error));
  else if (current?.call.id === message.id) abort(current, message.reason);
});
process.on("disconnect", () => process.exit());
process.on("uncaughtException", onStray).on("unhandledRejection", onStray);
watchParent();

async function load(address: Parameters<typeof loadFunction>[0]): Promise<void> {
  try {
    call = await loadFunction(address);
    tell({ type: "loaded" });
  } catch (thrown) {
    tell({ type: "unloadable", error: sendError(thrown) });
  }
}

async function invoke(message: Invocation): Promise<void> {
  const flight: Flight = { call: message, aborter: new AbortController() };
  current = flight;
  const { id } = message;
  try {
    const reply: unknown = await flights.run(flight, () =>
      call?.(parseJson(message.input) as JsonObject, contextOf(flight)),
    );
    const json = reply === undefined ? undefined : JSON.stringify(admit(reply, "reply").value);
    end(flight, { type: "answered", id, reply: json });
  } catch (thrown) {
    end(flight, { type: "failed", id, error: sendError(thrown) });
  }
}

function end(flight: Flight, message: FromChild): void {
  if (current !== flight) return;
  current = undefined;
  tell(message);
}

function abort(flight: Flight, reason: Parameters<typeof receiveError>[0]): void {
  flights.run(flight, () => flight.aborter.abort(receiveError(reason)));
}

function contextOf({ call: { id, runId, row, attempt }, aborter: { signal } }: Flight): InvokeContext {
  return {
    signal,
    runId,
    row,
    attempt,
    artifacts: {
      step: (record) => tell({ type: "step", id, record }),
      save: (name, content, contentType) => {
        saves += 1;
        const saved = Promise.withResolvers<string>();
        saving.set(saves, saved);
        tell({ type: "save", id, save: saves, name, content, contentType });
        return saved.promise;
      },
    },
  };
}

function settle(save: number): PromiseWithResolvers<string> | undefined {
  const saved = saving.get(save);
  saving.delete(save);
  return saved;
}

function onStray(thrown: unknown): void {
  const flight = flights.getStore();
  if (flight !== undefined && flight === current) {
    const hint =
      "Nothing in the agent catches it: look for a promise without await, a callback that throws, or an error event without a listener.";
    end(flight, {
      type: "failed",
      id: flight.call.id,
      error: { message: messageOf(thrown), code: "AGENT_FAILED", hint },
    });
  } else {
    const whose = flight === undefined ? "The agent" : `The agent of row ${flight.call.row}`;
    process.stderr.write(`warning: ${whose} failed outside of its attempts: ${messageOf(thrown)}\n`);
  }
}

// The channel tells of the parent's end only between two turns of the agent's code, and a loop may have none.
function watchParent(): void {
  // Read here: by the time the thread runs the parent may have ended.
  const watch = `setInterval(() => {
      if (process.ppid === ${process.ppid}) return;
      try { process.kill(-process.pid, "SIGKILL"); } catch { process.kill(process.pid, "SIGKILL"); }
    }, 500);`;
  new Worker(watch, { eval: true, execArgv: [] }).unref();
}
