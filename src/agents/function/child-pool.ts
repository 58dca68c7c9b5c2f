import type { AgentInput, InvokeContext, Invoker } from "../../core/agent.ts";
import type { JsonValue } from "../../core/json.ts";
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
export async function openChildPool(setup: ChildPoolSetup): Promise<Invoker> {
  const pool = new ChildPool(setup);
  await pool.warmUp();
  return pool;
}

class ChildPool implements Invoker {
  readonly #setup: ChildPoolSetup;
  readonly #children = new Set<FunctionChild>();
  readonly #idle: FunctionChild[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #closing = new AbortController();
  #size: number;

  constructor(setup: ChildPoolSetup) {
    this.#setup = setup;
    this.#size = setup.size;
  }

  async warmUp(): Promise<void> {
    try {
      this.#idle.push(await this.#start());
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
  }

  async invoke(input: AgentInput, context: InvokeContext): Promise<JsonValue> {
    const child = await this.#take(context.signal);
    try {
      return await child.invoke(input, context);
    } finally {
      if (child.isAlive()) this.#idle.push(child);
      else this.#children.delete(child);
      this.#wake();
    }
  }

  widen(concurrency: number): void {
    this.#size = Math.max(this.#size, concurrency);
    for (let i = 0; i < concurrency; i += 1) this.#wake();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("The agent was closed"));
    await Promise.all([...this.#children].map((child) => child.close()));
  }

  async #take(signal: AbortSignal): Promise<FunctionChild> {
    for (;;) {
      signal.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      const child = this.#idle.pop();
      if (child === undefined) {
        if (this.#children.size < this.#size) return this.#start(signal);
        await this.#turn(signal);
      } else if (child.isAlive()) return child;
      else this.#children.delete(child);
    }
  }

  async #start(...signals: readonly AbortSignal[]): Promise<FunctionChild> {
    const { address, memoryMb } = this.#setup;
    const child = startChild(address, memoryMb);
    this.#children.add(child);
    try {
      await unlessAborted(child.loaded, this.#closing.signal, ...signals);
      return child;
    } catch (thrown) {
      this.#children.delete(child);
      this.#wake();
      await child.close();
      throw thrown;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    return unlessAborted(promise, signal, this.#closing.signal).catch((thrown: unknown) => {
      // Its turn may have come in the meantime; it is another's then.
      if (!this.#waiting.delete(resolve)) this.#wake();
      throw thrown;
    });
  }

  #wake(): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }
}
