import type { AgentInput, InvokeContext, Invoker } from "../../core/agent.ts";
import type { JsonValue } from "../../core/json.ts";
import { openTurns } from "../turns.ts";
import { unlessAborted } from "../within.ts";
import { startChild, type FunctionChild } from "./function-child.ts";
import type { FunctionAddress } from "./load-function.ts";

/** A pool to open. */
export interface ChildPoolSetup {
  readonly address: FunctionAddress;
  /** Processes at most. */
  readonly size: number;
  readonly memoryMb?: number;
}

/**
 * Opens a function that is called in processes of its own, one call at a time in each. They are started when they are needed, kept
 * for the next call, and replaced when they have ended.
 *
 * @throws RowcallError AGENT_INVALID when the function cannot be loaded
 */
export async function openChildPool({ address, size, memoryMb }: ChildPoolSetup): Promise<Invoker> {
  const children = new Set<FunctionChild>();
  const idle: FunctionChild[] = [];
  const turns = openTurns(size);
  const closing = new AbortController();

  async function start(...signals: readonly AbortSignal[]): Promise<FunctionChild> {
    const child = startChild(address, memoryMb);
    children.add(child);
    try {
      await unlessAborted(child.loaded, closing.signal, ...signals);
      return child;
    } catch (thrown) {
      await child.close();
      children.delete(child);
      throw thrown;
    }
  }

  function keep(child: FunctionChild): void {
    if (child.isAlive()) idle.push(child);
    else children.delete(child);
  }

  function takeIdle(): FunctionChild | undefined {
    for (let child = idle.pop(); child !== undefined; child = idle.pop()) {
      if (child.isAlive()) return child;
      children.delete(child);
    }
    return undefined;
  }

  async function invoke(input: AgentInput, context: InvokeContext): Promise<JsonValue> {
    const giveBack = await turns.take(context.signal, closing.signal);
    try {
      const child = takeIdle() ?? (await start(context.signal));
      try {
        return await child.invoke(input, context);
      } finally {
        keep(child);
      }
    } finally {
      giveBack();
    }
  }

  keep(await start());
  return {
    invoke,
    widen: turns.widen,
    close: async () => {
      closing.abort(new Error("The agent was closed"));
      await Promise.all([...children].map((child) => child.close()));
    },
  };
}
